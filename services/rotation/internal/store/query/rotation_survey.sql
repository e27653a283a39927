SELECT min(greatest(due_at, lease_until)) AS next_due, count(*) AS active, count(*) FILTER (WHERE state = 'BLOCKED') AS blocked,
       (SELECT min(active_at) FROM credential WHERE retired_at IS NULL AND active_generation > 0) AS oldest_at
FROM rotation
WHERE ended_at IS NULL
