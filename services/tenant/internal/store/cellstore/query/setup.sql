-- name: SetUpCell
-- The walls between customers that hold for the whole database. Each statement changes nothing when it holds already.
DO $do$
DECLARE
    d record;
    f regprocedure;
    s record;
BEGIN
    FOR d IN
        SELECT datname FROM pg_database
        WHERE datname IN (current_database(), 'postgres', 'template1')
          AND (datacl IS NULL OR EXISTS (SELECT FROM aclexplode(datacl) a WHERE a.grantee = 0))
    LOOP
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', d.datname); -- CONNECT, TEMPORARY
    END LOOP;
    IF EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'public'
               AND (n.nspacl IS NULL OR EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0))) THEN
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
    END IF;
    -- Large objects are of the whole database. Advisory locks too: each workspace has its own, see locks.sql.
    FOR f IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND (p.proname ~ '^lo_' OR p.proname IN ('loread', 'lowrite') OR p.proname ~ '^pg_(try_)?advisory_')
          AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
    -- What customers cannot set: their RAISE fills no log, no DETAIL shows a row in it, and no query fills the disk alone.
    FOR s IN
        SELECT name, value FROM (VALUES ('log_min_messages', 'fatal'), ('log_error_verbosity', 'terse'), ('temp_file_limit', '5GB')) AS v (name, value)
        WHERE NOT EXISTS (
            SELECT FROM pg_db_role_setting r JOIN pg_database b ON b.oid = r.setdatabase
            WHERE b.datname = current_database() AND r.setrole = 0 AND name || '=' || value = ANY (r.setconfig))
    LOOP
        EXECUTE format('ALTER DATABASE %I SET %I = %L', current_database(), s.name, s.value);
    END LOOP;
END
$do$
