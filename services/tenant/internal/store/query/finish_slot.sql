-- name: FinishSlot
-- The outcome: everything of the slot exists. $1 ref, $2 attempt, $3 sealed secrets, $4 now
UPDATE slot SET state = 'ready', secrets = $3, ready_time = $4
WHERE ref = $1 AND attempt = $2 AND state = 'building'
