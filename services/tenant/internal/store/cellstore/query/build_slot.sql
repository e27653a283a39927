-- name: BuildSlot
-- The schema, which stays ours, and the NOLOGIN role that owns what the customer makes in it.
-- naksha.owner: the role; naksha.schema: the schema
DO $do$
DECLARE
    owner text := current_setting('naksha.owner');
    schema text := current_setting('naksha.schema');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = owner) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', owner);
    END IF;
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', schema);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', schema, owner);
END
$do$
