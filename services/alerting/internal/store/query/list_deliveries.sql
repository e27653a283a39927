SELECT id, incident_id, cycle, level, target, channel, kind, state, attempts, fence, created_at, due_at, not_before, deadline,
       accepted_at, error
FROM delivery
WHERE incident_id = $1
ORDER BY created_at, id
LIMIT $2
