-- name: SeeLogins
-- Sessions of these generations are open now. $1 owners, $2 generations, $3 now
INSERT INTO login AS l (owner, generation, intent, intent_time, outcome_time, last_seen_time)
SELECT owner, generation, 'none', $3, $3, $3 FROM unnest($1::text[], $2::int[]) AS seen (owner, generation)
ON CONFLICT (owner, generation) DO UPDATE SET last_seen_time = excluded.last_seen_time
