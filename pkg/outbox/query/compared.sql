SELECT until FROM inbox_compared WHERE consumer = $1
