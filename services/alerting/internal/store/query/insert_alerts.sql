INSERT INTO alert (key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out, created_at)
SELECT key, group_id, labels::jsonb, annotations::jsonb, generator_url, starts_at, ends_at, updated_at, timed_out, $10
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::boolean[])
     AS fresh (key, group_id, labels, annotations, generator_url, starts_at, ends_at, updated_at, timed_out)
ORDER BY key
ON CONFLICT (key) DO NOTHING
RETURNING key
