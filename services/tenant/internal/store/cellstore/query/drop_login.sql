-- name: DropLogin
-- What the role owns goes to the owner, and only then what was granted to it goes. No role is no error.
-- naksha.login, naksha.owner (empty: none)
DO $do$
DECLARE
    login text := current_setting('naksha.login');
    owner text := current_setting('naksha.owner');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        RETURN;
    END IF;
    IF owner <> '' THEN
        EXECUTE format('REASSIGN OWNED BY %I TO %I', login, owner);
    END IF;
    EXECUTE format('DROP OWNED BY %I RESTRICT', login);
    EXECUTE format('DROP ROLE %I', login);
END
$do$
