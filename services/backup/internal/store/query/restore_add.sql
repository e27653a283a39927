INSERT INTO restore (id, ref, snapshot_id, wanted_region, state, created_at, try_at) VALUES ($1, $2, $3, $4, 'pending', $5, $5)
