UPDATE alert
SET ends_at = greatest(starts_at, $2::timestamptz), timed_out = false, updated_at = $2
WHERE group_id = $1 AND ends_at > $2
