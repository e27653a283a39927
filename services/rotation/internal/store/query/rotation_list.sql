-- Newest first. $1 credential, $2 and $3 creation time and id of the last one of the page before (null = first page),
-- $4 how many.
SELECT id::text, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, state, resume_state,
       blocked_reason, blocked_message, abort_reason, abort_message, promoted_at, old_seen_at, refusals, failures, retry_at,
       due_at, ended_at, acknowledged_at, retired, inputs, epoch
FROM rotation
WHERE credential = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $4
