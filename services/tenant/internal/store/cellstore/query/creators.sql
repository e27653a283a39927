-- name: CountCreators
-- Sessions that are making something in the schema: their tables are not visible yet, and not locked. $1 schema
SELECT count(DISTINCT l.pid) FROM pg_locks l
WHERE l.locktype = 'object' AND l.classid = 'pg_namespace'::regclass AND l.objid = $1::regnamespace
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> pg_backend_pid()
