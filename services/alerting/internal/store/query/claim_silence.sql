SELECT id, matchers, starts_at, ends_at, created_at, updated_at, created_by, comment
FROM silence
WHERE due_at <= $1
ORDER BY due_at
LIMIT 1
FOR UPDATE SKIP LOCKED
