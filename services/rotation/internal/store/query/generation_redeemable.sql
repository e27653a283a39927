-- The newest generation that a holder may know of. $1 credential.
SELECT g.number, r.id::text AS rotation_id, g.secret
FROM generation AS g
JOIN rotation AS r ON r.credential = g.credential AND r.new_generation = g.number
WHERE g.credential = $1 AND g.state IN ('announced', 'active') AND g.secret IS NOT NULL
ORDER BY g.number DESC
LIMIT 1
