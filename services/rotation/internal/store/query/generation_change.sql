-- $1 credential, $2 number, $3 state, $4 erase the secret, $5 now.
UPDATE generation
SET state = $3, changed_at = $5, secret = CASE WHEN $4 THEN NULL ELSE secret END
WHERE credential = $1 AND number = $2
