-- name: DisableLogins
-- naksha.pattern: of the login roles
DO $do$
DECLARE
    login text;
BEGIN
    FOR login IN SELECT rolname FROM pg_roles WHERE rolname ~ current_setting('naksha.pattern') AND rolcanlogin LOOP
        EXECUTE format('ALTER ROLE %I NOLOGIN', login);
    END LOOP;
END
$do$
