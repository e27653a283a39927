DELETE FROM timer WHERE incident_id = $1
