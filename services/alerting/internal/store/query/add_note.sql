INSERT INTO note (incident_id, at, text) VALUES ($1, $2, $3)
