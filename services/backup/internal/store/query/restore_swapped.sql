UPDATE restore SET undo_schema = $3 WHERE id = $1 AND token = $2 AND state = 'swapping'
