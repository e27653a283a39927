-- name: FindRequest
-- $1 method, $2 principal, $3 request id
SELECT fingerprint, resource, reply, create_time FROM request WHERE method = $1 AND principal = $2 AND request_id = $3
