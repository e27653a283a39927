-- name: ReopenRevocation
-- A login of a deleted workspace was found alive. $1 ref
UPDATE workspace SET revoke_time = NULL WHERE ref = $1 AND state = 'deleted'
