-- The record of a service's facts (DESIGN §4): heads, an append-only log partitioned by week, and what still has to be
-- published; and what the service has taken in from others.

CREATE TABLE aggregate (
    aggregate  text        PRIMARY KEY,
    version    bigint      NOT NULL CHECK (version > 0),
    changed_at timestamptz NOT NULL
);
CREATE INDEX aggregate_changed ON aggregate (changed_at, aggregate);

CREATE TABLE event_log (
    seq       bigint      GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL,
    event_id  uuid        NOT NULL,
    aggregate text        NOT NULL,
    version   bigint      NOT NULL,
    type      text        NOT NULL,
    workspace text        NOT NULL,
    headers   jsonb       NOT NULL,
    payload   bytea       NOT NULL,
    PRIMARY KEY (at, seq)
) PARTITION BY RANGE (at);
CREATE INDEX event_log_aggregate ON event_log (aggregate, version);

CREATE TABLE outbox_pending (
    seq bigint      PRIMARY KEY,
    at  timestamptz NOT NULL
);

CREATE TABLE inbox_head (
    consumer  text   NOT NULL,
    aggregate text   NOT NULL,
    version   bigint NOT NULL,
    PRIMARY KEY (consumer, aggregate)
);

CREATE TABLE inbox (
    consumer text        NOT NULL,
    event_id uuid        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE dead_letter (
    id        uuid        PRIMARY KEY,
    consumer  text        NOT NULL,
    event_id  uuid        NOT NULL,
    aggregate text        NOT NULL,
    version   bigint      NOT NULL,
    type      text        NOT NULL,
    workspace text        NOT NULL,
    payload   bytea       NOT NULL,
    error     text        NOT NULL, -- empty: parked behind an earlier letter of its aggregate
    attempts  bigint      NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT dead_letter_once UNIQUE (consumer, event_id)
);
CREATE INDEX dead_letter_aggregate ON dead_letter (consumer, aggregate, version);
