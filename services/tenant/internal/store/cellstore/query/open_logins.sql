-- name: ListOpenLogins
SELECT DISTINCT usename::text FROM pg_stat_activity WHERE usename ~ '^(w_[a-z]{20}_g|naksha_backup_g)[0-9]{1,6}$'
