UPDATE restore SET progress = greatest(progress, $3), region = $4 WHERE id = $1 AND token = $2
