DELETE FROM outbox_pending WHERE seq = any($1)
