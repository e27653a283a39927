-- name: Revocations
SELECT seq, kid, workspace, heard_at FROM revocation WHERE heard_at > $1 ORDER BY seq
