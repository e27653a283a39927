-- Heads of aggregates that are new here; fewer rows than asked for when somebody else was first. $1 consumer,
-- $2 aggregates, $3 versions.
INSERT INTO inbox_head (consumer, aggregate, version)
SELECT $1, n.aggregate, n.version
FROM unnest($2::text[], $3::bigint[]) AS n (aggregate, version)
ORDER BY n.aggregate
ON CONFLICT DO NOTHING
