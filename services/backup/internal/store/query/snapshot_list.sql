SELECT id, ref, state, progress, problem, created_at, taken_at, ended_at, tables, row_count AS rows, raw_bytes, stored_bytes,
    object_count AS objects, object_bytes
FROM snapshot WHERE ref = $1 AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4
