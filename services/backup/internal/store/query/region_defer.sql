UPDATE restore_region SET try_at = $3, failures = failures + 1 WHERE restore_id = $1 AND region = $2
