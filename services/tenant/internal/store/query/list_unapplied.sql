-- name: ListUnapplied
-- Workspaces whose plan the cell does not enforce yet. $1 limit
SELECT ref, plan FROM workspace WHERE state = 'active' AND applied_plan <> plan ORDER BY create_time LIMIT $1
