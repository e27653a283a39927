INSERT INTO snapshot_copy (snapshot_id, region, verified_at, error, try_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (snapshot_id, region) DO UPDATE SET verified_at = excluded.verified_at, error = excluded.error, try_at = excluded.try_at
