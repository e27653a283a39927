-- $1 credential, $2 now.
UPDATE rotation SET retired = true, inputs = inputs + 1, due_at = $2, retry_at = NULL
WHERE credential = $1 AND ended_at IS NULL AND NOT retired
