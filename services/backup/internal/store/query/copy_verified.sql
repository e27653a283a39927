UPDATE snapshot_copy SET verified_at = $3, error = '' WHERE snapshot_id = $1 AND region = $2
