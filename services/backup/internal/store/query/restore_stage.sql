UPDATE restore SET state = 'staging', stage_cleared = false
WHERE id = $1 AND token = $2 AND state IN ('staging', 'comparing')
