UPDATE restore SET state = 'swapping', tables = $3, progress = greatest(progress, 90) WHERE id = $1 AND token = $2 AND state = 'comparing'
