-- name: SetLogin
-- naksha.login, naksha.enabled
DO $do$
BEGIN
    EXECUTE format('ALTER ROLE %I %s', current_setting('naksha.login'),
        CASE WHEN current_setting('naksha.enabled')::bool THEN 'LOGIN' ELSE 'NOLOGIN' END);
END
$do$
