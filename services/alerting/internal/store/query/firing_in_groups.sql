SELECT key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, incident_id
FROM alert
WHERE group_id = ANY ($1) AND ends_at > $2
ORDER BY starts_at, key
