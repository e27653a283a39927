-- name: GetKey
-- $1 kid, $2 workspace
SELECT kid, kind, coalesce(workspace, '') AS workspace, display_name, create_time, expire_time, revoke_time
FROM api_key WHERE kid = $1 AND workspace = $2
