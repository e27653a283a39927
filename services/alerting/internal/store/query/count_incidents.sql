SELECT severity, status, count(*) AS n FROM incident WHERE status <> 'resolved' GROUP BY severity, status
