-- name: ConcludeRestore
-- $1 workspace, $2 restore id, $3 now, $4 whether the restored schema is the live one; returns what was known before
UPDATE restore r SET outcome_time = $3, swapped = $4
FROM (SELECT workspace, restore_id, swapped FROM restore WHERE workspace = $1 AND restore_id = $2 FOR UPDATE) old
WHERE r.workspace = old.workspace AND r.restore_id = old.restore_id
RETURNING old.swapped
