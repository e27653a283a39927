INSERT INTO reader (server, announced, try_at) VALUES ($1, $2, $3)
ON CONFLICT (server) DO UPDATE SET announced = greatest(reader.announced, excluded.announced), try_at = excluded.try_at, failures = 0
