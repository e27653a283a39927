-- name: InsertKey
-- $1 kid, $2 workspace or NULL, $3 kind, $4 display name, $5 hash, $6 pepper, $7 now, $8 expiry or NULL
INSERT INTO api_key (kid, workspace, kind, display_name, hash, pepper, create_time, expire_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
