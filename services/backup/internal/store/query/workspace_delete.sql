UPDATE workspace SET deleted_at = $2 WHERE ref = $1 AND deleted_at IS NULL
