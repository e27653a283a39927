-- $1 owner.
SELECT c.name, c.active_generation, c.active_at, c.last_generation, c.retired_at, coalesce(r.id::text, '') AS rotation_id
FROM credential AS c
LEFT JOIN rotation AS r ON r.credential = c.name AND r.ended_at IS NULL
WHERE c.owner = $1 AND c.retired_at IS NULL
ORDER BY c.name
