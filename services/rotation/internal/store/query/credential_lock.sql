-- $1 name.
SELECT c.name, c.active_generation, c.active_at, c.last_generation, c.retired_at,
       coalesce((SELECT r.id::text FROM rotation AS r WHERE r.credential = c.name AND r.ended_at IS NULL), '') AS rotation_id
FROM credential AS c
WHERE c.name = $1
FOR NO KEY UPDATE OF c
