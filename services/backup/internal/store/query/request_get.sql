SELECT digest, resource FROM request WHERE method = $1 AND ref = $2 AND request_id = $3
