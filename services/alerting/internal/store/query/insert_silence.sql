INSERT INTO silence (id, matchers, starts_at, ends_at, created_at, updated_at, created_by, comment, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
