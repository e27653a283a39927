-- name: RunningInstances
-- The instances that the running jobs belong to, but this one ($1).
SELECT DISTINCT attempted_by[array_upper(attempted_by, 1)]
FROM river_job
WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] <> $1
UNION
SELECT leader_id
FROM river_leader
WHERE leader_id <> $1
