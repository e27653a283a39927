-- $1 scope, $2 request id.
SELECT body_hash, rotation::text AS rotation_id FROM request WHERE scope = $1 AND request_id = $2
