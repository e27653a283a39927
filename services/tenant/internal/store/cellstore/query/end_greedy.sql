-- name: EndGreedySessions
-- The table of locks is the whole server's, and when it is full nobody gets anything done. Ends the sessions of every
-- workspace that holds more than its share, and the greediest ones as soon as customers hold half of the table together.
-- Advisory locks count as well. All are told first and then waited for, a second each at most: one that still gives its
-- locks back would count in the next look, and end others. $1 share of the table that one workspace may hold
WITH size AS (
    SELECT current_setting('max_locks_per_transaction')::bigint * current_setting('max_connections')::bigint AS entries
), held AS (
    SELECT substring(a.usename from 3 for 20) AS ref, array_agg(DISTINCT a.pid) AS pids, count(*) AS locks
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE a.usename ~ '^w_[a-z]{20}_g[0-9]+$'
    GROUP BY 1
), ranked AS (
    SELECT ref, pids, locks, sum(locks) OVER (ORDER BY locks, ref) AS together FROM held
), told AS MATERIALIZED (
    SELECT ref, pids, (SELECT count(pg_terminate_backend(pid)) FROM unnest(pids) AS pid)::int AS sessions
    FROM ranked, size
    WHERE locks > entries * $1::float8 OR together * 2 > entries
    ORDER BY sessions -- so that all are told before the first is waited for
)
SELECT ref, 'locks' AS reason, sessions FROM told
WHERE (SELECT count(pg_terminate_backend(pid, 1000)) FROM unnest(pids) AS pid) >= 0
