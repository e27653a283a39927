-- name: AdoptSlot
-- The building of a slot that was begun and given up. $1 cell, $2 now, $3 lease until
UPDATE slot SET attempt = attempt + 1, lease_until = $3
WHERE ref = (
    SELECT ref FROM slot WHERE cell = $1 AND state = 'building' AND lease_until < $2 AND attempt < 100
    ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING ref, cell, attempt
