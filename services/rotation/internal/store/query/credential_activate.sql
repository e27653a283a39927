-- $1 name, $2 generation, $3 now.
UPDATE credential SET active_generation = $2, active_at = $3 WHERE name = $1
