-- name: ConcludeLogin
-- $1 owner, $2 generation, $3 now
UPDATE login SET outcome_time = $3 WHERE owner = $1 AND generation = $2
