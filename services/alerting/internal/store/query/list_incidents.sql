SELECT id, group_id, group_key, severity, area, title, runbook_url, status, plan, opened_at, cycle, cycle_at, level, told_at, muted,
       quiet_since, until_at, acked_at, acked_by, ack_expires_at, resolved_at, resolved_by
FROM incident
WHERE ($1 = '' OR status = $1) AND ($2::timestamptz IS NULL OR (opened_at, id) < ($2, $3::uuid))
ORDER BY opened_at DESC, id DESC
LIMIT $4
