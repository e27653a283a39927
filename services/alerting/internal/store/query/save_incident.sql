UPDATE incident
SET severity = $2, area = $3, title = $4, runbook_url = $5, status = $6, plan = $7, cycle = $8, cycle_at = $9, level = $10,
    told_at = $11, muted = $12, quiet_since = $13, until_at = $14, acked_at = $15, acked_by = $16, ack_expires_at = $17,
    resolved_at = $18, resolved_by = $19
WHERE id = $1
