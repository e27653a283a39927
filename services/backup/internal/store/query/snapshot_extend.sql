UPDATE snapshot SET leased_until = $3 WHERE id = $1 AND token = $2 AND state = 'running'
