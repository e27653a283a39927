SELECT s.id, s.ref FROM snapshot s
WHERE s.state IN ('pending', 'running') AND s.try_at <= $1 AND (s.leased_until IS NULL OR s.leased_until <= $1)
    AND NOT EXISTS (SELECT FROM restore r WHERE r.ref = s.ref AND r.state IN ('staging', 'comparing', 'swapping', 'undoing'))
    AND NOT EXISTS (SELECT FROM snapshot o WHERE o.ref = s.ref AND o.state = 'running' AND o.leased_until > $1)
ORDER BY s.try_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED
