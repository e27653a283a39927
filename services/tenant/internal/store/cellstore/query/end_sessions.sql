-- name: EndSessions
-- How many sessions there still were. $1 pattern of the role names
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename ~ $1
