-- Takes the next number for good. $1 name, $2 number.
UPDATE credential SET last_generation = $2 WHERE name = $1
