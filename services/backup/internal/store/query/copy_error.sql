UPDATE snapshot_copy SET error = $3 WHERE snapshot_id = $1 AND region = $2 AND verified_at IS NULL
