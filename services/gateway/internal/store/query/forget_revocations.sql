-- name: ForgetRevocations
DELETE FROM revocation WHERE heard_at < $1
