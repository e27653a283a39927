-- $1 at, $2 event id.
SELECT EXISTS (SELECT FROM event_log WHERE at = $1 AND event_id = $2)
