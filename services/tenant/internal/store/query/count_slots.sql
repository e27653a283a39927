-- name: CountSlots
-- $1 cell, $2 now. Slots under way count, so that two replicas do not build twice what is missing.
SELECT count(*) FILTER (WHERE state = 'ready') AS ready,
       count(*) FILTER (WHERE state = 'building' AND lease_until >= $2) AS building,
       count(*) FILTER (WHERE state = 'building' AND lease_until < $2) AS abandoned
FROM slot WHERE cell = $1 AND state <> 'claimed'
