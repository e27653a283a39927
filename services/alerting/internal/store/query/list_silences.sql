SELECT id, matchers, starts_at, ends_at, created_at, updated_at, created_by, comment
FROM silence
WHERE ends_at > $1
ORDER BY created_at DESC, id DESC
LIMIT $2
