-- name: CountKeys
-- $1 workspace
SELECT count(*) FROM api_key WHERE workspace = $1 AND revoke_time IS NULL
