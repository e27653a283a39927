-- name: ReopenSlot
-- A ready slot of which something is missing is built again. $1 ref, $2 now
UPDATE slot SET state = 'building', secrets = NULL, ready_time = NULL, lease_until = $2
WHERE ref = $1 AND state = 'ready'
