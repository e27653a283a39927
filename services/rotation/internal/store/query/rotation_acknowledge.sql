-- $1 id, $2 now.
UPDATE rotation SET acknowledged_at = $2, inputs = inputs + 1, due_at = $2 WHERE id = $1 AND acknowledged_at IS NULL
