INSERT INTO workspace (ref, server, created_at, due_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (ref) DO UPDATE SET server = excluded.server
