-- name: SetUpLocks
-- Advisory locks are per database, and migration tools need them. Each workspace gets a key space of its own: these
-- functions come before pg_catalog's in its search_path, and mix the workspace into the key (64 bits of a hash). What a
-- session sees and how long a lock lasts is as with the originals, which customers may not call.
CREATE SCHEMA IF NOT EXISTS naksha_lock;
GRANT USAGE ON SCHEMA naksha_lock TO PUBLIC;

CREATE OR REPLACE FUNCTION naksha_lock.own(key text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN hashtextextended(substring(session_user from 1 for 22) || '/' || key, 0);
REVOKE ALL ON FUNCTION naksha_lock.own(text) FROM PUBLIC;

-- The table of locks is the whole server's. When it is full nobody can even log in, so one session may hold so many.
CREATE OR REPLACE FUNCTION naksha_lock.take(key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
    IF (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') >= 256 THEN
        RAISE EXCEPTION 'this session holds 256 advisory locks' USING ERRCODE = 'configuration_limit_exceeded',
            HINT = 'Release some with pg_advisory_unlock, or lock rows instead.';
    END IF;
    RETURN naksha_lock.own(key);
END
$f$;
REVOKE ALL ON FUNCTION naksha_lock.take(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_lock(key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_lock(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_lock(key1 integer, key2 integer) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_lock(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_lock(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_lock(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_lock(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_lock(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_xact_lock(key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_xact_lock(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_xact_lock(key1 integer, key2 integer) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_xact_lock(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_xact_lock(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_xact_lock(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_xact_lock(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_xact_lock(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_unlock(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_unlock(naksha_lock.own(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_unlock(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_unlock(naksha_lock.own(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_lock_shared(key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_lock_shared(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_lock_shared(key1 integer, key2 integer) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_lock_shared(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_lock_shared(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_lock_shared(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_lock_shared(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_lock_shared(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_xact_lock_shared(key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_xact_lock_shared(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_xact_lock_shared(key1 integer, key2 integer) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_xact_lock_shared(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_xact_lock_shared(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_xact_lock_shared(naksha_lock.take(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_try_advisory_xact_lock_shared(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_try_advisory_xact_lock_shared(naksha_lock.take(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_unlock_shared(key bigint) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_unlock_shared(naksha_lock.own(key::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_unlock_shared(key1 integer, key2 integer) RETURNS boolean
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_unlock_shared(naksha_lock.own(key1::text || ',' || key2::text));

CREATE OR REPLACE FUNCTION naksha_lock.pg_advisory_unlock_all() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN pg_catalog.pg_advisory_unlock_all();
