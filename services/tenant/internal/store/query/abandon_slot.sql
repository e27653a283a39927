-- name: AbandonSlot
-- Lets another builder take over at once. $1 ref, $2 attempt, $3 now
UPDATE slot SET lease_until = $3 WHERE ref = $1 AND attempt = $2 AND state = 'building'
