-- An act that touched no target. $1 rotation, $2 action, $3 reason, $4 epoch, $5 now, $6 state, $7 evidence.
INSERT INTO journal (rotation, seq, action, reason, epoch, opened_at, attempts, closed_at, state, evidence)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, 1, $5, $6, $7 FROM journal WHERE rotation = $1
