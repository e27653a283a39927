-- $1 rotation, $2 now, $3 state, $4 evidence.
UPDATE journal SET closed_at = $2, state = $3, evidence = $4 WHERE rotation = $1 AND closed_at IS NULL
