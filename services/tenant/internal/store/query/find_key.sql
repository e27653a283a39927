-- name: FindKey
-- $1 kid
SELECT kid, kind, coalesce(workspace, '') AS workspace, display_name, create_time, expire_time, revoke_time, hash, pepper
FROM api_key WHERE kid = $1
