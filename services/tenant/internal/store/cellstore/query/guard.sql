-- name: Guard
-- Takes the locks, on tables and indexes, of what the server reads when it plans and runs a query that its caches do not
-- know any more, and keeps them until the transaction ends.
DO $do$
DECLARE
    c regclass;
BEGIN
    FOREACH c IN ARRAY ARRAY[
        'pg_authid', 'pg_auth_members', 'pg_database', 'pg_tablespace',
        'pg_class', 'pg_attribute', 'pg_attrdef', 'pg_index', 'pg_constraint', 'pg_trigger', 'pg_inherits', 'pg_policy',
        'pg_rewrite', 'pg_namespace', 'pg_type', 'pg_range', 'pg_cast', 'pg_collation', 'pg_proc', 'pg_language',
        'pg_aggregate', 'pg_operator', 'pg_am', 'pg_opclass', 'pg_opfamily', 'pg_amop', 'pg_amproc', 'pg_statistic',
        'pg_statistic_ext', 'pg_statistic_ext_data'
    ]::regclass[] || (
        SELECT array_agg(reltoastrelid::regclass) FROM pg_class WHERE oid = ANY ('{pg_rewrite,pg_proc,pg_statistic}'::regclass[])
    ) LOOP
        EXECUTE format('SELECT FROM %s LIMIT 0', c);
    END LOOP;
END
$do$
