INSERT INTO request (method, ref, request_id, digest, resource, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
