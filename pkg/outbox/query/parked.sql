-- Which aggregates dead letters park for this consumer. $1 consumer, $2 aggregates.
SELECT DISTINCT aggregate FROM dead_letter WHERE consumer = $1 AND aggregate = any($2)
