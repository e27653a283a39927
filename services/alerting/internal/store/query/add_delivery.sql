INSERT INTO delivery (id, incident_id, cycle, level, target, channel, kind, severity, state, created_at, due_at, not_before,
                      lease_until, deadline)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $9, $9, $11)
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING
