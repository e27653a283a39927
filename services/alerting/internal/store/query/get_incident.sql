SELECT id, group_id, group_key, severity, area, title, runbook_url, status, plan, opened_at, cycle, cycle_at, level, told_at, muted,
       quiet_since, until_at, acked_at, acked_by, ack_expires_at, resolved_at, resolved_by
FROM incident
WHERE id = $1
