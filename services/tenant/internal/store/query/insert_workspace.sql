-- name: InsertWorkspace
-- $1 ref, $2 display name, $3 plan, $4 plan whose limits the slot was built with, $5 cell, $6 server, $7 now
INSERT INTO workspace (ref, display_name, plan, applied_plan, state, cell, server, login_generation, create_time)
VALUES ($1, $2, $3, $4, 'active', $5, $6, 1, $7)
