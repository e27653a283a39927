SELECT coalesce(pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid = $2::pg_catalog.oid, false)
