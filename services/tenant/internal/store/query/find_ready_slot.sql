-- name: FindReadySlot
-- The oldest slot that nobody else is claiming. $1 cell
SELECT ref, secrets FROM slot
WHERE cell = $1 AND state = 'ready'
ORDER BY ready_time, ref
LIMIT 1
FOR UPDATE SKIP LOCKED
