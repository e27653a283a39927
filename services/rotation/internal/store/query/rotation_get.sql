-- $1 id.
SELECT id::text, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, state, resume_state,
       blocked_reason, blocked_message, abort_reason, abort_message, promoted_at, old_seen_at, refusals, failures, retry_at,
       due_at, ended_at, acknowledged_at, retired, inputs, epoch
FROM rotation
WHERE id = $1
