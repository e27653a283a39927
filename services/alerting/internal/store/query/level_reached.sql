SELECT EXISTS (SELECT FROM delivery
               WHERE incident_id = $1 AND cycle = $2 AND level = $3 AND kind = 'page' AND state IN ('pending', 'accepted'))
