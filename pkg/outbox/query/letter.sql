SELECT id, consumer, 0::bigint AS seq, happened_at AS at, event_id, aggregate, version, type, workspace, headers, payload,
    error, attempts, rejected, at AS buried_at, tried_at
FROM dead_letter
WHERE id = $1
