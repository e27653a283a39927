INSERT INTO attempt (delivery_id, n, started_at) VALUES ($1, $2, $3)
