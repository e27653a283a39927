-- Moves heads that are locked. $1 consumer, $2 aggregates, $3 versions.
UPDATE inbox_head AS h SET version = n.version
FROM unnest($2::text[], $3::bigint[]) AS n (aggregate, version)
WHERE h.consumer = $1 AND h.aggregate = n.aggregate
