-- name: ListKeys
-- $1 workspace, $2 and $3 the last entry before the page, $4 limit
SELECT kid, kind, workspace, display_name, create_time, expire_time, revoke_time
FROM api_key
WHERE workspace = $1 AND ($3 = '' OR (create_time, kid) < ($2, $3))
ORDER BY create_time DESC, kid DESC
LIMIT $4
