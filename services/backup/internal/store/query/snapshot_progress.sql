UPDATE snapshot SET progress = greatest(progress, $3) WHERE id = $1 AND token = $2 AND state = 'running'
