UPDATE restore SET state = 'comparing' WHERE id = $1 AND token = $2 AND state = 'staging'
