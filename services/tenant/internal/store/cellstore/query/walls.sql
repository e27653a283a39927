-- name: SetUpWalls
-- Nothing of a workspace acts with its rights for others. Whoever once had a login could leave a SECURITY DEFINER function
-- behind a type (a domain's CHECK, a cast, a range): a parameter of that type, named by its number, asks for no right on
-- schema or type, so any neighbour would run it, whatever became of the login. All of a workspace belongs to one role, for
-- which SECURITY DEFINER and grants to others mean nothing: they are taken back in the transaction that makes them.
CREATE SCHEMA IF NOT EXISTS naksha_wall;
GRANT USAGE ON SCHEMA naksha_wall TO PUBLIC;

-- What lets others act with a workspace's rights or on its rows, and the statement that ends it.
CREATE OR REPLACE VIEW naksha_wall.gap AS
SELECT g.class, g.object, g.remedy
FROM (
    SELECT 'pg_catalog.pg_proc'::regclass AS class, p.oid AS object, p.proowner AS owner,
           format('ALTER ROUTINE %s SECURITY INVOKER', p.oid::regprocedure) AS remedy
    FROM pg_catalog.pg_proc p WHERE p.prosecdef
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, c.oid, c.relowner,
           format('REVOKE ALL ON TABLE %s FROM %s CASCADE', c.oid::regclass, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
    FROM pg_catalog.pg_class c
    CROSS JOIN LATERAL (
        SELECT e.grantee FROM pg_catalog.aclexplode(c.relacl) e
        UNION
        SELECT e.grantee FROM pg_catalog.pg_attribute t CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) e WHERE t.attrelid = c.oid
    ) a
    WHERE a.grantee <> c.relowner AND c.relkind NOT IN ('i', 'I', 't')
    UNION ALL
    SELECT 'pg_catalog.pg_default_acl'::regclass, d.defaclrole, d.defaclrole,
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %s %s REVOKE ALL ON %s FROM %s CASCADE', d.defaclrole::regrole,
               'IN SCHEMA ' || nullif(d.defaclnamespace, 0)::regnamespace, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' ELSE 'SEQUENCES' END,
               CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END)
    FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) e
    WHERE d.defaclobjtype IN ('r', 'S') AND e.grantee <> d.defaclrole
) g
JOIN pg_catalog.pg_roles r ON r.oid = g.owner
WHERE r.rolname ~ '^w_[a-z]{20}$';
GRANT SELECT ON naksha_wall.gap TO PUBLIC;

-- It acts as the customer whose command ends, and who owns what it changes.
CREATE OR REPLACE FUNCTION naksha_wall.keep() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
    done record;
    kind regclass;
    made oid[];
    statement text;
BEGIN
    IF current_user !~ '^w_[a-z]{20}$' THEN
        RETURN;
    END IF;
    -- A column of a neighbour's type, named by its number, would keep the neighbour from changing or dropping it.
    IF EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() c JOIN pg_attribute a ON a.attrelid = c.objid JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE c.command_tag IN ('CREATE TABLE AS', 'SELECT INTO') AND n.nspname ~ '^w_[a-z]{20}' AND left(n.nspname, 22) <> current_user
    ) THEN
        RAISE EXCEPTION 'the type of a column belongs to another workspace' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR done IN SELECT command_tag, object_type, classid, objid FROM pg_event_trigger_ddl_commands() LOOP
        kind := done.classid;
        made := ARRAY[done.objid];
        IF done.command_tag = 'ALTER DEFAULT PRIVILEGES' THEN
            kind := 'pg_default_acl';
            made := ARRAY[current_user::regrole::oid];
        ELSIF done.command_tag = 'GRANT' AND done.object_type IN ('TABLE', 'SEQUENCE') THEN -- it does not say which
            kind := 'pg_class';
            made := ARRAY(
                SELECT s.objid FROM pg_shdepend s
                WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = current_user::regrole AND s.deptype = 'o'
                  AND s.classid = kind AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()));
        END IF;
        FOR statement IN SELECT g.remedy FROM naksha_wall.gap g WHERE g.class = kind AND g.object = ANY (made) LOOP
            RAISE NOTICE 'in a workspace everything belongs to one role: %', statement;
            EXECUTE statement;
        END LOOP;
    END LOOP;
END
$f$;

DO $do$
DECLARE
    statement text;
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'naksha_wall') THEN
        RETURN;
    END IF;
    CREATE EVENT TRIGGER naksha_wall ON ddl_command_end
        WHEN TAG IN ('CREATE FUNCTION', 'CREATE PROCEDURE', 'ALTER FUNCTION', 'ALTER PROCEDURE', 'ALTER ROUTINE', 'GRANT',
            'ALTER DEFAULT PRIVILEGES', 'CREATE TABLE AS', 'SELECT INTO')
        EXECUTE FUNCTION naksha_wall.keep();
    ALTER EVENT TRIGGER naksha_wall ENABLE ALWAYS;
    FOR statement IN SELECT remedy FROM naksha_wall.gap LOOP -- what was made before there was a wall
        EXECUTE statement;
    END LOOP;
END
$do$
