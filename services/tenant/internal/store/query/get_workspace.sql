-- name: GetWorkspace
-- $1 ref
SELECT ref, display_name, plan, state, cell, server, login_generation, create_time, delete_time
FROM workspace WHERE ref = $1
