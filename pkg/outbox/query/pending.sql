-- The oldest facts without an acknowledgement, in order, but for those in hand: at most as many, and as many bytes of
-- payload, as one batch takes. $1 sequences in hand, $2 how many, $3 bytes.
SELECT seq, at, event_id, aggregate, version, type, workspace, headers, payload
FROM (
    SELECT p.seq, l.at, l.event_id, l.aggregate, l.version, l.type, l.workspace, l.headers, l.payload,
           sum(octet_length(l.payload)) OVER (ORDER BY p.seq) AS bytes
    FROM (SELECT seq, at FROM outbox_pending WHERE seq <> ALL ($1::bigint[]) ORDER BY seq LIMIT $2) AS p
    JOIN event_log AS l ON l.seq = p.seq AND l.at = p.at
) AS oldest
WHERE bytes <= $3
ORDER BY seq
