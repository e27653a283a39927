-- $1 consumer, $2 event id, $3 now.
INSERT INTO inbox (consumer, event_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
