-- name: ListSlots
-- Every ref that ever was of a cell. $1 cell, $2 last ref of the page before, $3 limit
SELECT s.ref, s.state, coalesce(w.state, '') AS workspace
FROM slot s LEFT JOIN workspace w ON w.ref = s.ref
WHERE s.cell = $1 AND s.ref > $2
ORDER BY s.ref LIMIT $3
