-- name: SwapSchemas
-- The live schema makes room, the other one takes its place. The customer loses sight of the first and has the second.
-- naksha.live, naksha.aside (where the live one goes), naksha.next (what becomes live), naksha.owner, naksha.login (of
-- the restore, which has done its work)
DO $do$
DECLARE
    live text := current_setting('naksha.live');
    aside text := current_setting('naksha.aside');
    owner text := current_setting('naksha.owner');
    login text := current_setting('naksha.login');
BEGIN
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', live, aside);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', aside, owner);
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', current_setting('naksha.next'), live);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', live, owner);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = login AND rolcanlogin) THEN
        EXECUTE format('ALTER ROLE %I NOLOGIN', login);
    END IF;
END
$do$
