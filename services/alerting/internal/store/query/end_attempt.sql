UPDATE attempt SET finished_at = $3, outcome = $4, error = $5 WHERE delivery_id = $1 AND n = $2
