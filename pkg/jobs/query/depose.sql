-- name: DeposeLeader
-- Ends the leadership of a dead instance ($1), which would otherwise last 15 s more.
DELETE FROM river_leader WHERE leader_id = $1
