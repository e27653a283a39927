UPDATE restore SET state = 'completed', progress = 100, ended_at = $3, leased_until = NULL, object_count = $4,
    undo_expire_at = $5, try_at = $3, failures = 0, problem = NULL
WHERE id = $1 AND token = $2 AND state = 'swapping'
RETURNING snapshot_id
