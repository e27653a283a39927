SELECT c.relname::pg_catalog.text, c.oid, pg_catalog.pg_sequence_last_value(c.oid)
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND c.relkind = 'S'
ORDER BY c.relname
