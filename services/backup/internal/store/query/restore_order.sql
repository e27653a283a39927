SELECT snapshot_id AS snapshot, wanted_region, state FROM restore WHERE id = $1
