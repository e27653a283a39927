-- name: NoteRequest
-- $1 method, $2 principal, $3 request id, $4 fingerprint, $5 resource, $6 sealed reply, $7 now
INSERT INTO request (method, principal, request_id, fingerprint, resource, reply, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7)
