-- One fact: the next version of its aggregate, the log row, the row that the relay takes. $1 aggregate, $2 now,
-- $3 event id, $4 type, $5 workspace, $6 headers, $7 payload.
WITH head AS (
    INSERT INTO aggregate AS a (aggregate, version, changed_at)
    VALUES ($1, 1, $2)
    ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1, changed_at = excluded.changed_at
    RETURNING version
), logged AS (
    INSERT INTO event_log (at, event_id, aggregate, version, type, workspace, headers, payload)
    SELECT $2, $3, $1, head.version, $4, $5, $6, $7 FROM head
    RETURNING seq, at
)
INSERT INTO outbox_pending (seq, at)
SELECT seq, at FROM logged
