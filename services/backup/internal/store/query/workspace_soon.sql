UPDATE workspace SET due_at = least(due_at, $2) WHERE ref = $1
