UPDATE attempt SET finished_at = $3, outcome = 'ambiguous' WHERE delivery_id = $1 AND n < $2 AND finished_at IS NULL
