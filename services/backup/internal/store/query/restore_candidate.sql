SELECT r.id, r.ref FROM restore r
WHERE r.state IN ('pending', 'staging', 'comparing', 'swapping', 'undoing') AND r.try_at <= $1
    AND (r.leased_until IS NULL OR r.leased_until <= $1)
    AND NOT EXISTS (SELECT FROM snapshot s WHERE s.ref = r.ref AND s.state = 'running' AND s.leased_until > $1)
ORDER BY r.try_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED
