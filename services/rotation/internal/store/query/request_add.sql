-- $1 scope, $2 request id, $3 hash, $4 rotation, $5 now.
INSERT INTO request (scope, request_id, body_hash, rotation, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
