-- name: IntendRestore
-- $1 workspace, $2 restore id, $3 intent, $4 now
INSERT INTO restore AS r (workspace, restore_id, intent, intent_time, swapped)
VALUES ($1, $2, $3, $4, false)
ON CONFLICT (workspace, restore_id) DO UPDATE SET intent = excluded.intent, intent_time = excluded.intent_time, outcome_time = NULL
