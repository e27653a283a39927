SELECT id, matchers, starts_at, ends_at, created_at, updated_at, created_by, comment
FROM silence
WHERE starts_at <= $1 AND ends_at > $1
ORDER BY id
