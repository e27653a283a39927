DELETE FROM silence WHERE ends_at < $1 AND due_at IS NULL
