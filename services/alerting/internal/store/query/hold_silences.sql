SELECT pg_advisory_xact_lock_shared(hashtext('naksha alerting silences'))
