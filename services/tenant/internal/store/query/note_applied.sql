-- name: NoteApplied
-- $1 ref, $2 plan
UPDATE workspace SET applied_plan = $2 WHERE ref = $1
