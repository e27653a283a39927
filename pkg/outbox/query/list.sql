-- $1 aggregate, $2 after version, $3 how many.
SELECT seq, at, event_id, aggregate, version, type, workspace, headers, payload
FROM event_log
WHERE aggregate = $1 AND version > $2
ORDER BY version
LIMIT $3
