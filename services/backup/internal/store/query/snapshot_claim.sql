UPDATE snapshot s SET state = 'running', token = token + 1, leased_until = $3
WHERE s.id = $1 AND NOT EXISTS (SELECT FROM restore r WHERE r.ref = s.ref AND r.state IN ('staging', 'comparing', 'swapping', 'undoing'))
    AND NOT EXISTS (SELECT FROM snapshot o WHERE o.ref = s.ref AND o.id <> s.id AND o.state = 'running' AND o.leased_until > $2)
RETURNING id, ref, token, failures, created_at, false AS committed
