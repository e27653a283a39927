-- $1 id, $2 credential, $3 generation, $4 principal, $5 kind, $6 request id, $7 now.
INSERT INTO redemption (id, credential, generation, principal, kind, request_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
