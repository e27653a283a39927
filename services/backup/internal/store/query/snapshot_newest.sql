SELECT id FROM snapshot WHERE ref = $1 AND state = 'verified' ORDER BY taken_at DESC LIMIT 1
