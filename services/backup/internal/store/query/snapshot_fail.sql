UPDATE snapshot SET state = 'failed', ended_at = $3, leased_until = NULL, problem = $4
WHERE id = $1 AND token = $2 AND state = 'running'
