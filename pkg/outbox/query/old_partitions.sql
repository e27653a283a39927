-- Partitions of the log whose week began before the one named $1, unless a fact from before $2 still has to be published.
SELECT c.relname::text AS name, i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS pending
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
  AND c.relname ~ '^event_log_[0-9]{8}$' AND c.relname < $1
  AND NOT EXISTS (SELECT FROM outbox_pending WHERE at < $2)
ORDER BY c.relname
