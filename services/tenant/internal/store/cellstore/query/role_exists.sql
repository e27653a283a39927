-- name: FindRole
-- $1 role
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
