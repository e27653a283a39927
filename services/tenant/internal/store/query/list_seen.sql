-- name: ListSeen
-- $1 owner
SELECT generation, last_seen_time FROM login WHERE owner = $1 AND last_seen_time IS NOT NULL
