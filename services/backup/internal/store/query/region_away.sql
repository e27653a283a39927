SELECT r.ref, r.id, r.snapshot_id AS snapshot, a.region, a.failures
FROM restore_region a JOIN restore r ON r.id = a.restore_id
WHERE NOT a.done AND a.try_at <= $1 AND r.state = 'completed'
    AND NOT EXISTS (SELECT FROM restore n WHERE n.ref = r.ref AND n.created_at > r.created_at AND n.state NOT IN ('failed', 'undone'))
ORDER BY a.try_at LIMIT 1 FOR UPDATE OF a SKIP LOCKED
