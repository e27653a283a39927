SELECT id, ref, failures, state = 'undone' OR state = 'completed' AND undo_expire_at <= $1 AS drop_undo FROM restore
WHERE try_at <= $1 AND (
    NOT stage_cleared AND state IN ('completed', 'failed', 'undone')
    OR NOT undo_cleared AND (state = 'undone' OR state = 'completed' AND undo_expire_at <= $1))
ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED
