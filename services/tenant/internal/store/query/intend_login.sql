-- name: IntendLogin
-- $1 owner, $2 generation, $3 intent, $4 now
INSERT INTO login AS l (owner, generation, intent, intent_time)
VALUES ($1, $2, $3, $4)
ON CONFLICT (owner, generation) DO UPDATE SET intent = excluded.intent, intent_time = excluded.intent_time, outcome_time = NULL
