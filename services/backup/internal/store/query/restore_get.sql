SELECT id, ref, snapshot_id AS snapshot, state, progress, problem, region, created_at, ended_at, tables, object_count AS objects,
    undo_schema, undo_expire_at
FROM restore WHERE ref = $1 AND id = $2
