-- $1 id, $2 epoch, $3 lease end or null.
UPDATE rotation SET lease_until = $3 WHERE id = $1 AND epoch = $2
