-- How far aggregates were taken; their rows are locked, in an order that is the same for all. $1 consumer, $2 aggregates.
SELECT aggregate, version
FROM inbox_head
WHERE consumer = $1 AND aggregate = any($2)
ORDER BY aggregate
FOR UPDATE
