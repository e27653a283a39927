-- Ids of facts that are taken now; those that were taken before are not returned. $1 consumer, $2 event ids, $3 now.
INSERT INTO inbox (consumer, event_id, at)
SELECT $1, id, $3 FROM unnest($2::uuid[]) AS id
ON CONFLICT DO NOTHING
RETURNING event_id
