-- $1 changed after, $2 and in that moment beyond this aggregate, $3 changed before, $4 how many.
SELECT aggregate, version, changed_at
FROM aggregate
WHERE (changed_at, aggregate) > ($1, $2) AND changed_at < $3
ORDER BY changed_at, aggregate
LIMIT $4
