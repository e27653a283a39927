UPDATE snapshot SET leased_until = NULL, try_at = $3, failures = failures + $4, problem = coalesce($5, problem)
WHERE id = $1 AND token = $2 AND state = 'running'
