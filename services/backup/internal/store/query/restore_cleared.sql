UPDATE restore SET stage_cleared = true, undo_cleared = undo_cleared OR $2,
    undo_schema = CASE WHEN $2 THEN '' ELSE undo_schema END, failures = 0,
    try_at = CASE WHEN $2 OR undo_expire_at IS NULL THEN try_at ELSE undo_expire_at END
WHERE id = $1 AND state IN ('completed', 'failed', 'undone')
