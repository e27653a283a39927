UPDATE alert SET incident_id = $1 WHERE key = ANY ($2) AND incident_id IS DISTINCT FROM $1
