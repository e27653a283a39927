-- name: GetKey
-- $1 kid, $2 workspace, empty = an operator's
SELECT kid, kind, coalesce(workspace, '') AS workspace, display_name, create_time, expire_time, revoke_time
FROM api_key WHERE kid = $1 AND coalesce(workspace, '') = $2
