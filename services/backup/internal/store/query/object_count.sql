SELECT count(DISTINCT object_key) FROM restore_object WHERE restore_id = $1
