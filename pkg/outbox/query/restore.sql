-- Makes what a stream lost pending again, in its old place, and notes the stream's new last sequence; nothing when the
-- lease is another's. $1 holder, $2 recorded from, $3 the stream's last sequence.
WITH held AS (
    SELECT one FROM relay_lease WHERE holder = $1
), marked AS (
    UPDATE relay_mark SET last = $3 WHERE EXISTS (SELECT FROM held)
), restored AS (
    INSERT INTO outbox_pending (seq, at)
    SELECT seq, at FROM event_log WHERE at >= $2 AND EXISTS (SELECT FROM held)
    ON CONFLICT DO NOTHING
    RETURNING seq
)
SELECT EXISTS (SELECT FROM held), (SELECT count(*) FROM restored)
