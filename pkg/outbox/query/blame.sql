-- $1 id, $2 error, $3 rejected, $4 now.
UPDATE dead_letter SET error = $2, rejected = $3, tried_at = $4, attempts = attempts + 1 WHERE id = $1
