-- Writes what the lease's holder decided; nothing when a later epoch exists. An input that the holder has not seen makes
-- the rotation due at once. $1 id, $2 epoch, $3 state, $4 resume state, $5 and $6 blocked reason and message, $7 and $8 abort
-- reason and message, $9 promoted, $10 old one seen, $11 refusals, $12 failures, $13 retry, $14 due, $15 ended,
-- $16 lease end or null, $17 inputs seen, $18 now.
UPDATE rotation
SET state = $3, resume_state = $4, blocked_reason = $5, blocked_message = $6, abort_reason = $7, abort_message = $8,
    promoted_at = $9, old_seen_at = $10, refusals = $11, failures = $12, retry_at = $13,
    due_at = CASE WHEN inputs = $17 THEN $14::timestamptz ELSE $18::timestamptz END, ended_at = $15, lease_until = $16
WHERE id = $1 AND epoch = $2
RETURNING id::text, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, state, resume_state,
       blocked_reason, blocked_message, abort_reason, abort_message, promoted_at, old_seen_at, refusals, failures, retry_at,
       due_at, ended_at, acknowledged_at, retired, inputs, epoch
