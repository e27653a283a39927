SELECT pg_advisory_xact_lock(hashtext('naksha alerting silences'))
