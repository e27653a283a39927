SELECT version FROM aggregate WHERE aggregate = $1
