-- $1 id, $2 consumer, $3 event id, $4 aggregate, $5 version, $6 type, $7 workspace, $8 payload, $9 error, $10 attempts, $11 now.
INSERT INTO dead_letter (id, consumer, event_id, aggregate, version, type, workspace, payload, error, attempts, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT ON CONSTRAINT dead_letter_once DO NOTHING
