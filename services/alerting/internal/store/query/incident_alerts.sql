SELECT key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, incident_id
FROM alert
WHERE incident_id = $1
ORDER BY starts_at, key
LIMIT $2
