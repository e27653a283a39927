UPDATE reader SET acknowledged = true, failures = 0 WHERE server = $1 AND generation = $2
