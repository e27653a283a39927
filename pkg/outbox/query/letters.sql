-- Newest first. $1 before this id, $2 aggregate or empty, $3 how many.
SELECT id, consumer, 0::bigint AS seq, happened_at AS at, event_id, aggregate, version, type, workspace, headers, payload,
    error, attempts, rejected, at AS buried_at, tried_at
FROM dead_letter
WHERE id < $1 AND ($2 = '' OR aggregate = $2)
ORDER BY id DESC
LIMIT $3
