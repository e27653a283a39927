-- name: InstallLogin
-- A login that acts as the owner from its first statement on. It inherits nothing, so what one generation makes belongs
-- to the owner and the next generation has it too. An adopted login keeps LOGIN as it is.
-- naksha.owner, naksha.schema, naksha.login, naksha.verifier, naksha.connections
DO $do$
DECLARE
    owner text := current_setting('naksha.owner');
    login text := current_setting('naksha.login');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', login);
    END IF;
    EXECUTE format('ALTER ROLE %I NOINHERIT PASSWORD %L CONNECTION LIMIT %s',
        login, current_setting('naksha.verifier'), current_setting('naksha.connections')::int);
    IF NOT pg_has_role(login, owner, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', owner, login);
    END IF;
    EXECUTE format('ALTER ROLE %I SET role = %L', login, owner);
    -- The own schema first: new tables land there. naksha_lock stands before the originals that it shadows.
    EXECUTE format('ALTER ROLE %I SET search_path = %I, naksha_lock, pg_catalog', login, current_setting('naksha.schema'));
    IF NOT has_database_privilege(login, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), login);
    END IF;
END
$do$
