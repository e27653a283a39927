SELECT server, announced, generation, login, secret, acknowledged, failures FROM reader
WHERE (generation = 0 OR generation < announced OR NOT acknowledged) AND try_at <= $1
ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED
