UPDATE restore SET state = 'undone', ended_at = $3, leased_until = NULL, undo_schema = '', undo_expire_at = NULL, try_at = $3, failures = 0, problem = NULL
WHERE id = $1 AND token = $2 AND state = 'undoing'
