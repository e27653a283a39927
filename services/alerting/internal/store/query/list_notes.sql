SELECT at, text FROM note WHERE incident_id = $1 ORDER BY id
