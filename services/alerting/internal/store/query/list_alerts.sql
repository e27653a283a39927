SELECT key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, incident_id, created_at
FROM alert
WHERE $1::timestamptz IS NULL OR (created_at, key) < ($1, $2)
ORDER BY created_at DESC, key DESC
LIMIT $3
