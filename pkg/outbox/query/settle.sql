-- Counts the holder's beat up and forgets what the stream acknowledged; nothing when the lease is another's. It need not
-- be durable: a commit that is lost with the power brings the rows back together with the older mark, and what is
-- published once more is a duplicate. One statement, with a small answer: a relay that is stopped in the middle leaves no
-- transaction open. $1 holder, $2 acknowledged, $3 the stream's last sequence after them.
WITH held AS (
    UPDATE relay_lease SET beat = beat + 1 WHERE holder = $1 RETURNING one
), forgotten AS (
    DELETE FROM outbox_pending WHERE seq = ANY ($2::bigint[]) AND EXISTS (SELECT FROM held)
), marked AS (
    INSERT INTO relay_mark AS m (one, last)
    SELECT one, $3 FROM held WHERE cardinality($2::bigint[]) > 0
    ON CONFLICT (one) DO UPDATE SET last = excluded.last WHERE m.last < excluded.last
)
SELECT EXISTS (SELECT FROM held), set_config('synchronous_commit', 'off', true)
