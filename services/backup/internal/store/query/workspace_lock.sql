SELECT deleted_at FROM workspace WHERE ref = $1 FOR UPDATE
