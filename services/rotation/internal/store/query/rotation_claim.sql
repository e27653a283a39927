-- Leases what is due and in nobody's hands, and fences off earlier holders. $1 now, $2 owner, $3 lease end, $4 how many.
UPDATE rotation
SET epoch = epoch + 1, lease_owner = $2, lease_until = $3
WHERE id IN (
    SELECT id FROM rotation
    WHERE ended_at IS NULL AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
    ORDER BY due_at
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
RETURNING id::text, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, state, resume_state,
       blocked_reason, blocked_message, abort_reason, abort_message, promoted_at, old_seen_at, refusals, failures, retry_at,
       due_at, ended_at, acknowledged_at, retired, inputs, epoch
