SELECT server, deleted_at FROM workspace WHERE ref = $1
