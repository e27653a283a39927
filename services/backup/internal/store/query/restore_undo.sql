UPDATE restore SET state = 'undoing', try_at = $2, failures = 0, leased_until = NULL WHERE id = $1 AND state = 'completed'
