SELECT i.id, i.group_id, i.group_key, i.severity, i.area, i.title, i.runbook_url, i.status, i.plan, i.opened_at, i.cycle, i.cycle_at, i.level, i.told_at, i.muted,
       i.quiet_since, i.until_at, i.acked_at, i.acked_by, i.ack_expires_at, i.resolved_at, i.resolved_by
FROM timer t JOIN incident i ON i.id = t.incident_id
WHERE t.due_at <= $1
ORDER BY t.due_at
LIMIT 1
FOR UPDATE OF i SKIP LOCKED
