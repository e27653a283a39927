UPDATE restore SET state = 'failed', ended_at = $3, leased_until = NULL, problem = $4, try_at = $3, failures = 0, undo_cleared = true
WHERE id = $1 AND token = $2 AND state IN ('staging', 'comparing')
