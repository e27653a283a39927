UPDATE snapshot_copy SET try_at = $3, failures = failures + 1 WHERE snapshot_id = $1 AND region = $2
