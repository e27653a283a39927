-- $1 new holder, $2 the holder and $3 the beat as they were seen.
INSERT INTO relay_lease AS l (holder, beat) VALUES ($1, 1)
ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, beat = l.beat + 1
WHERE l.holder = $2 AND l.beat = $3
