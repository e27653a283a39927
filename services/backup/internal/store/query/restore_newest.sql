SELECT id, state, undo_expire_at, undo_cleared FROM restore WHERE ref = $1 AND state IN ('completed', 'undoing', 'undone')
ORDER BY created_at DESC, id DESC LIMIT 1
