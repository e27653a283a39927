-- name: ListUnrevoked
-- Deleted workspaces whose logins or S3 keys may still live. $1 last ref of the page before, $2 limit
SELECT ref FROM workspace WHERE state = 'deleted' AND revoke_time IS NULL AND ref > $1 ORDER BY ref LIMIT $2
