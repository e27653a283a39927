INSERT INTO snapshot (id, ref, state, created_at, try_at) VALUES ($1, $2, 'pending', $3, $3)
