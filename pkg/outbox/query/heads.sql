-- $1 changed at or after, $2 changed before, $3 aggregate of the page before, $4 how many.
SELECT aggregate, version, changed_at
FROM aggregate
WHERE changed_at >= $1 AND changed_at < $2 AND aggregate > $3
ORDER BY aggregate
LIMIT $4
