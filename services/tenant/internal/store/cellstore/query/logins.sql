-- name: ListLogins
-- $1 pattern of the role names
SELECT r.rolname AS role, r.rolcanlogin AS enabled, count(a.pid)::int AS sessions
FROM pg_roles r LEFT JOIN pg_stat_activity a ON a.usesysid = r.oid
WHERE r.rolname ~ $1
GROUP BY r.rolname, r.rolcanlogin
