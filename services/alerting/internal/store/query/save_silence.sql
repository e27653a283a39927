UPDATE silence SET starts_at = $2, ends_at = $3, updated_at = $4, created_by = $5, comment = $6, due_at = $7 WHERE id = $1
