SELECT count(*) AS waiting, min(at) AS oldest FROM outbox_pending
