SELECT version FROM inbox_head WHERE consumer = $1 AND aggregate = $2
