-- name: ClaimSlot
-- $1 ref, $2 what stays of its secrets, sealed
UPDATE slot SET state = 'claimed', secrets = $2 WHERE ref = $1 AND state = 'ready'
