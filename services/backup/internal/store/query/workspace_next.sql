UPDATE workspace SET due_at = $2 WHERE ref = $1
