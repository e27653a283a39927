UPDATE snapshot SET state = 'verified', progress = 100, ended_at = $3, leased_until = NULL, problem = NULL, taken_at = $4, tables = $5,
    row_count = $6, raw_bytes = $7, stored_bytes = $8, object_count = $9, object_bytes = $10
WHERE id = $1 AND token = $2 AND state = 'running'
