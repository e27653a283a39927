-- name: InsertSlot
-- The intent, before anything of the slot exists. $1 ref, $2 cell, $3 now, $4 lease until
INSERT INTO slot (ref, cell, state, attempt, lease_until, create_time) VALUES ($1, $2, 'building', 1, $4, $3)
