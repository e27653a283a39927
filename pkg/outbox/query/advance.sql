-- Moves a consumer's head by exactly one version; no row when the fact is a repeat or one before it is missing.
-- $1 consumer, $2 aggregate, $3 version.
INSERT INTO inbox_head AS h (consumer, aggregate, version)
SELECT $1, $2, $3::bigint
WHERE $3::bigint = 1 OR EXISTS (SELECT FROM inbox_head WHERE consumer = $1 AND aggregate = $2)
ON CONFLICT (consumer, aggregate) DO UPDATE SET version = excluded.version
WHERE h.version = excluded.version - 1
RETURNING version
