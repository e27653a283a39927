-- name: LimitConnections
-- naksha.pattern: of the login roles; naksha.connections
DO $do$
DECLARE
    login text;
BEGIN
    FOR login IN SELECT rolname FROM pg_roles WHERE rolname ~ current_setting('naksha.pattern') LOOP
        EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', login, current_setting('naksha.connections')::int);
    END LOOP;
END
$do$
