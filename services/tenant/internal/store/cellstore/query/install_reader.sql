-- name: InstallReader
-- Backup's reading login. BYPASSRLS: without it, COPY of a table with row security silently copies nothing.
-- naksha.login, naksha.verifier
DO $do$
DECLARE
    login text := current_setting('naksha.login');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        EXECUTE format('CREATE ROLE %I LOGIN', login);
    END IF;
    EXECUTE format('ALTER ROLE %I INHERIT BYPASSRLS PASSWORD %L', login, current_setting('naksha.verifier'));
    -- It reads what customers made, so nothing of theirs may act through it: no view that took a table's place between
    -- the look and the read (in minor versions that know the setting, which are those after CVE-2024-7348), and no write.
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    IF current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL THEN
        EXECUTE format('ALTER ROLE %I SET restrict_nonsystem_relation_kind = %L', login, 'view, foreign-table');
    END IF;
    IF NOT pg_has_role(login, 'pg_read_all_data', 'MEMBER') THEN
        EXECUTE format('GRANT pg_read_all_data TO %I', login);
    END IF;
    IF NOT has_database_privilege(login, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), login);
    END IF;
END
$do$
