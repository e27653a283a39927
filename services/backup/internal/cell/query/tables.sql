SELECT c.relname::pg_catalog.text, c.relkind::pg_catalog.text, pg_catalog.pg_relation_size(c.oid),
    coalesce(pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''), '{}'),
    coalesce(pg_catalog.bool_and(t.typnamespace = 11 AND t.typname IN ('bool', 'bytea', 'int2', 'int4', 'int8', 'float4', 'float8',
        'numeric', 'text', 'varchar', 'bpchar', 'date', 'time', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb'))
        FILTER (WHERE a.attgenerated = ''), false)
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND c.relkind IN ('r', 'p')
GROUP BY c.oid
ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, c.relname
