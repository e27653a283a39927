-- name: ListInventory
-- Per ref: whether its schema, its role and a login are there, and whether a login may be used, or is: a session that was
-- just being opened when its login was disabled shows only later.
SELECT ref, bool_or(what = 'schema') AS schema, bool_or(what = 'role') AS role, bool_or(what = 'login') AS login,
       bool_or(open) AS entered
FROM (
    SELECT substring(nspname from 3) AS ref, 'schema' AS what, false AS open FROM pg_namespace WHERE nspname ~ '^w_[a-z]{20}$'
    UNION ALL
    SELECT substring(rolname from 3), 'role', false FROM pg_roles WHERE rolname ~ '^w_[a-z]{20}$'
    UNION ALL
    SELECT substring(rolname from 3 for 20), 'login', rolcanlogin OR oid IN (SELECT usesysid FROM pg_stat_activity)
    FROM pg_roles WHERE rolname ~ '^w_[a-z]{20}_g[0-9]+$'
    UNION ALL
    SELECT substring(rolname from 3 for 20), 'restore', rolcanlogin OR oid IN (SELECT usesysid FROM pg_stat_activity)
    FROM pg_roles WHERE rolname ~ '^w_[a-z]{20}__r[0-9a-f]{8}$'
) AS found
GROUP BY ref
