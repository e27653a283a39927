-- Locked, since an input follows. $1 credential, $2 new generation.
SELECT id::text, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, state, resume_state,
       blocked_reason, blocked_message, abort_reason, abort_message, promoted_at, old_seen_at, refusals, failures, retry_at,
       due_at, ended_at, acknowledged_at, retired, inputs, epoch
FROM rotation
WHERE credential = $1 AND new_generation = $2
FOR NO KEY UPDATE
