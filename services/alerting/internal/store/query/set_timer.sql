INSERT INTO timer (incident_id, due_at) VALUES ($1, $2)
ON CONFLICT (incident_id) DO UPDATE SET due_at = excluded.due_at
