-- name: NoteRevoked
-- $1 ref, $2 now
UPDATE workspace SET revoke_time = $2 WHERE ref = $1 AND state = 'deleted'
