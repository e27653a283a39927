-- $1 name, $2 owner, $3 active generation, $4 active since, $5 last generation, $6 now.
INSERT INTO credential (name, owner, active_generation, active_at, last_generation, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
