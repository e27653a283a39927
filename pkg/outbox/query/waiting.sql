-- Aggregates whose first letter may be tried again. $1 consumer, $2 not tried since.
SELECT aggregate
FROM (
    SELECT DISTINCT ON (aggregate) aggregate, rejected, tried_at
    FROM dead_letter
    WHERE consumer = $1
    ORDER BY aggregate, version
) AS first
WHERE NOT rejected AND tried_at < $2
LIMIT 100
