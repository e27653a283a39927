INSERT INTO reader (server, announced, generation, login, secret, acknowledged, try_at) VALUES ($1, $2, $2, $3, $4, false, $5)
ON CONFLICT (server) DO UPDATE SET announced = greatest(reader.announced, excluded.generation), generation = excluded.generation,
    login = excluded.login, secret = excluded.secret, acknowledged = false, failures = 0, try_at = excluded.try_at
WHERE reader.generation < excluded.generation
