-- $1 id, $2 consumer, $3 event id, $4 aggregate, $5 version, $6 type, $7 workspace, $8 payload, $9 error, $10 attempts,
-- $11 now, $12 happened at, $13 headers, $14 rejected.
INSERT INTO dead_letter (id, consumer, event_id, aggregate, version, type, workspace, payload, error, attempts, at,
    happened_at, headers, rejected, tried_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $11)
ON CONFLICT ON CONSTRAINT dead_letter_once DO NOTHING
