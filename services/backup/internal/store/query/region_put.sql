INSERT INTO restore_region (restore_id, region, since, done, try_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (restore_id, region) DO UPDATE SET done = excluded.done, try_at = excluded.try_at
