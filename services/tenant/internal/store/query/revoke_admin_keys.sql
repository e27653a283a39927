-- name: RevokeAdminKeys
-- Every live key of an operator that was made before $1. $2 now
UPDATE api_key SET revoke_time = $2
WHERE kind = 'adm' AND create_time < $1 AND revoke_time IS NULL
RETURNING kid, kind, '' AS workspace, display_name, create_time, expire_time, revoke_time
