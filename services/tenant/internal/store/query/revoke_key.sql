-- name: RevokeKey
-- $1 kid, $2 workspace, $3 now
UPDATE api_key SET revoke_time = $3
WHERE kid = $1 AND workspace = $2 AND revoke_time IS NULL
RETURNING kid, kind, workspace, display_name, create_time, expire_time, revoke_time
