SELECT key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, incident_id
FROM alert
WHERE ends_at > $1
ORDER BY starts_at, key
