-- name: SetArguments
-- Hands arguments to the DO block that follows in the same transaction. $1 names, $2 values
SELECT set_config('naksha.' || name, value, true) FROM unnest($1::text[], $2::text[]) AS argument (name, value)
