-- name: DeleteWorkspace
-- $1 ref, $2 now
UPDATE workspace SET state = 'deleted', delete_time = $2
WHERE ref = $1 AND state = 'active'
RETURNING ref, display_name, plan, state, cell, server, login_generation, create_time, delete_time
