SELECT c.relname::pg_catalog.text, c.relkind::pg_catalog.text, pg_catalog.pg_relation_size(c.oid),
    coalesce(pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''), '{}')
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND c.relkind IN ('r', 'p')
GROUP BY c.oid
ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, c.relname
