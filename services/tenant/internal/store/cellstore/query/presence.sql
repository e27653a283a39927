-- name: FindSchemas
-- $1 live, $2 staged, $3 undo
SELECT to_regnamespace($1) IS NOT NULL AS live, to_regnamespace($2) IS NOT NULL AS staged, to_regnamespace($3) IS NOT NULL AS undo
