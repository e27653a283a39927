UPDATE delivery
SET state = CASE WHEN state = 'canceled' AND $3 <> 'accepted' THEN state ELSE $3 END,
    not_before = coalesce($4, not_before), lease_until = $5, accepted_at = $6, error = $7
WHERE id = $1 AND fence = $2 AND state IN ('pending', 'canceled')
RETURNING state
