SELECT snapshot_id, region, verified_at, error FROM snapshot_copy WHERE snapshot_id = ANY($1) ORDER BY snapshot_id, region DESC
