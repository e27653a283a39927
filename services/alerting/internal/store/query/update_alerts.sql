UPDATE alert a
SET group_id = f.group_id, annotations = f.annotations::jsonb, generator_url = f.generator_url, starts_at = f.starts_at,
    ends_at = f.ends_at, updated_at = f.updated_at, timed_out = f.timed_out, incident_id = nullif(f.incident_id, '')::uuid
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::boolean[], $10::text[])
     AS f (key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, incident_id)
WHERE a.key = f.key
