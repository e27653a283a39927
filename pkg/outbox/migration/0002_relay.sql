-- Which replica's relay publishes, and how far the stream has come.

-- The holder counts beat up while it works; who sees it stand still takes over. Unlogged: a crash of the server empties
-- it, which only lets anybody take it, and an idle service writes nothing to the disk.
CREATE UNLOGGED TABLE relay_lease (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder uuid    NOT NULL, -- of one tenure; nil = nobody
    beat   bigint  NOT NULL
) WITH (fillfactor = 10);

-- The last sequence that the stream acknowledged: a stream that shows a lower one has lost facts.
CREATE TABLE relay_mark (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint  NOT NULL CHECK (last >= 0)
) WITH (fillfactor = 10);

-- Each row lives for milliseconds: without frequent cleaning the relay would wade through dead ones.
ALTER TABLE outbox_pending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
