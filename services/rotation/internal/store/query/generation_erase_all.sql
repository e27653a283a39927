-- $1 credential, $2 now.
UPDATE generation SET secret = NULL, changed_at = $2 WHERE credential = $1 AND secret IS NOT NULL
