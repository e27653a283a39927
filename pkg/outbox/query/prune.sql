-- Forgets ids from before a moment, the oldest first: ids are UUIDv7 and begin with their time. $1 consumer, $2 the first
-- id of that moment, $3 how many.
DELETE FROM inbox
WHERE consumer = $1 AND event_id IN (
    SELECT event_id FROM inbox WHERE consumer = $1 AND event_id < $2 ORDER BY event_id LIMIT $3
)
