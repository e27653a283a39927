SELECT s.ref, c.snapshot_id, c.region, c.failures
FROM snapshot_copy c JOIN snapshot s ON s.id = c.snapshot_id
WHERE c.verified_at IS NULL AND c.try_at <= $1 AND s.state = 'verified'
ORDER BY c.try_at LIMIT 1 FOR UPDATE OF c SKIP LOCKED
