-- The oldest facts that have no acknowledgement yet. $1 how many.
SELECT p.seq, l.at, l.event_id, l.aggregate, l.version, l.type, l.workspace, l.headers, l.payload
FROM (SELECT seq, at FROM outbox_pending ORDER BY seq LIMIT $1) AS p
JOIN event_log AS l ON l.seq = p.seq AND l.at = p.at
ORDER BY p.seq
