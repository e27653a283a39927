UPDATE delivery
SET attempts = attempts + 1, fence = fence + 1, lease_until = $2
WHERE id = (SELECT id FROM delivery
            WHERE state = 'pending' AND not_before <= $1 AND lease_until <= $1
            ORDER BY severity, created_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED)
RETURNING id, incident_id, cycle, level, target, channel, kind, state, attempts, fence, created_at, due_at, not_before, deadline,
       accepted_at, error
