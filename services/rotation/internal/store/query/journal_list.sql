-- $1 rotations.
SELECT rotation::text, state, closed_at, evidence
FROM journal
WHERE rotation = any($1) AND closed_at IS NOT NULL
ORDER BY rotation, closed_at, seq
