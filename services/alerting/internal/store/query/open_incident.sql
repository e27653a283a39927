INSERT INTO incident (id, group_id, group_key, severity, area, title, runbook_url, status, plan, opened_at, cycle, cycle_at, level, told_at, muted,
       quiet_since, until_at, acked_at, acked_by, ack_expires_at, resolved_at, resolved_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
ON CONFLICT (group_id) WHERE status <> 'resolved' DO NOTHING
