INSERT INTO restore_object (restore_id, region, object_key, replaced_version) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
