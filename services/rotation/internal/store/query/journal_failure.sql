-- $1 rotation, $2 what failed.
UPDATE journal SET failure = $2 WHERE rotation = $1 AND closed_at IS NULL
