-- name: DropSchema
-- naksha.schema
DO $do$
BEGIN
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', current_setting('naksha.schema'));
END
$do$
