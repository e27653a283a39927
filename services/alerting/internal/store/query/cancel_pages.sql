UPDATE delivery SET state = 'canceled' WHERE incident_id = $1 AND kind = 'page' AND state = 'pending'
