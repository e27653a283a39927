SELECT id, matchers, starts_at, ends_at, created_at, updated_at, created_by, comment
FROM silence
WHERE id = $1
FOR UPDATE
