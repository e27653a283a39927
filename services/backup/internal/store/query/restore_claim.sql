UPDATE restore r SET state = CASE state WHEN 'pending' THEN 'staging' ELSE state END, token = token + 1, leased_until = $3
WHERE r.id = $1 AND NOT EXISTS (SELECT FROM snapshot s WHERE s.ref = r.ref AND s.state = 'running' AND s.leased_until > $2)
RETURNING id, ref, token, failures, created_at, state IN ('swapping', 'undoing') AS committed
