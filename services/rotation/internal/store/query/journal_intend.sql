-- Opens an act, or counts one more attempt of the open one. $1 rotation, $2 action, $3 reason, $4 epoch, $5 now.
INSERT INTO journal AS j (rotation, seq, action, reason, epoch, opened_at, attempts)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, 1 FROM journal WHERE rotation = $1
ON CONFLICT (rotation) WHERE closed_at IS NULL
DO UPDATE SET action = excluded.action, reason = excluded.reason, epoch = excluded.epoch, attempts = j.attempts + 1
