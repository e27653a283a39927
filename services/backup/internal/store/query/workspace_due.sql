SELECT ref FROM workspace WHERE due_at <= $1 AND deleted_at IS NULL ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
