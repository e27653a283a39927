-- Which heads were not reached. $1 consumer, $2 aggregates, $3 versions.
SELECT n.aggregate, coalesce(h.version, 0) AS taken, n.version AS recorded
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS n (aggregate, version, place)
LEFT JOIN inbox_head AS h ON h.consumer = $1 AND h.aggregate = n.aggregate
WHERE coalesce(h.version, 0) < n.version
ORDER BY n.place
