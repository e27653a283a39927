UPDATE reader SET try_at = $2, failures = failures + 1 WHERE server = $1
