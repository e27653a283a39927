-- name: ListWorkspaces
-- $1 state, $2..$4 display name, plan, cell (empty = any), $5 and $6 the last entry before the page, $7 limit
SELECT ref, display_name, plan, state, cell, server, login_generation, create_time, delete_time
FROM workspace
WHERE state = $1
  AND ($2 = '' OR display_name = $2) AND ($3 = '' OR plan = $3) AND ($4 = '' OR cell = $4)
  AND ($6 = '' OR (create_time, ref) < ($5, $6))
ORDER BY create_time DESC, ref DESC
LIMIT $7
