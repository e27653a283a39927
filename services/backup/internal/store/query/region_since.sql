SELECT since FROM restore_region WHERE restore_id = $1 AND region = $2
