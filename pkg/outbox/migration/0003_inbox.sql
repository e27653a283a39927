-- What an inbox knows of itself: how far it compared heads with each owner, and enough of a dead letter to take it later
-- as if it had just arrived.

-- Each fact moves its aggregate's row: room in the page keeps that out of the index.
ALTER TABLE inbox_head SET (fillfactor = 70);

-- The owner's heads that changed before this moment were all reached.
CREATE TABLE inbox_compared (
    consumer text        PRIMARY KEY,
    until    timestamptz NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE dead_letter
    ADD COLUMN happened_at timestamptz,
    ADD COLUMN headers     jsonb       NOT NULL DEFAULT '{}',
    ADD COLUMN rejected    boolean     NOT NULL DEFAULT true, -- false: given up after many tries, or parked
    ADD COLUMN tried_at    timestamptz;
UPDATE dead_letter SET happened_at = at, tried_at = at, rejected = error <> '';
ALTER TABLE dead_letter ALTER COLUMN happened_at SET NOT NULL, ALTER COLUMN tried_at SET NOT NULL;
