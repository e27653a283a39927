SELECT region, object_key AS key, replaced_version AS version FROM restore_object WHERE restore_id = $1 AND region = $2 ORDER BY object_key
