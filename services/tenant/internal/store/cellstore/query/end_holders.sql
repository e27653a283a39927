-- name: EndHolders
-- Whoever reads of a neighbour's view (pg_views) keeps a share lock on the tables below it until the transaction ends, and
-- so holds up the neighbour's ALTER TABLE and the swap of its restore. Ends the customers' sessions that keep somebody
-- waiting at a relation of another workspace. $1 milliseconds of waiting that pass
WITH holder AS (
    SELECT DISTINCT a.pid, substring(a.usename from 3 for 20) AS ref
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b (pid) JOIN pg_stat_activity a ON a.pid = b.pid
    WHERE NOT l.granted AND l.waitstart < clock_timestamp() - $1::int * interval '1 millisecond'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND n.nspname ~ '^w_[a-z]{20}' AND a.usename ~ '^w_[a-z]{20}_g[0-9]+$' AND left(a.usename, 22) <> left(n.nspname, 22)
)
SELECT ref, 'holds_up_neighbour' AS reason, count(pg_terminate_backend(pid))::int AS sessions FROM holder GROUP BY ref
