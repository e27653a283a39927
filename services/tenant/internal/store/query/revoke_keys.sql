-- name: RevokeKeys
-- Every live key of a workspace. $1 workspace, $2 now
UPDATE api_key SET revoke_time = $2
WHERE workspace = $1 AND revoke_time IS NULL
RETURNING kid, kind, workspace, display_name, create_time, expire_time, revoke_time
