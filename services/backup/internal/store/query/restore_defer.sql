UPDATE restore SET try_at = $2, failures = failures + 1 WHERE id = $1
