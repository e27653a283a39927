-- Also of a credential that was never heard of, so that a late registration does not bring it to life.
-- $1 name, $2 owner, $3 now.
INSERT INTO credential (name, owner, active_generation, last_generation, created_at, retired_at)
VALUES ($1, $2, 0, 0, $3, $3)
ON CONFLICT (name) DO UPDATE SET retired_at = coalesce(credential.retired_at, excluded.retired_at)
