-- Alerts, incidents and what has to be told. Every decision is a row before it is an act: a process that dies at any
-- moment leaves behind what the next one needs to go on.

CREATE TABLE incident (
    id             uuid        PRIMARY KEY,
    group_id       text        NOT NULL,
    group_key      text        NOT NULL,
    severity       smallint    NOT NULL CHECK (severity BETWEEN 1 AND 4),
    area           text        NOT NULL,
    title          text        NOT NULL,
    runbook_url    text        NOT NULL,
    status         text        NOT NULL CHECK (status IN ('triggered', 'acknowledged', 'resolved')),
    plan           jsonb       NOT NULL, -- the policy as it was when the incident opened, or its severity rose
    opened_at      timestamptz NOT NULL,
    cycle          int         NOT NULL CHECK (cycle > 0),
    cycle_at       timestamptz NOT NULL,
    level          int         NOT NULL CHECK (level >= 0),
    told_at        timestamptz,
    muted          boolean     NOT NULL,
    quiet_since    timestamptz,
    until_at       timestamptz,
    acked_at       timestamptz,
    acked_by       text        NOT NULL,
    ack_expires_at timestamptz,
    resolved_at    timestamptz,
    resolved_by    text        NOT NULL
);
-- One open incident per group, whoever opens it.
CREATE UNIQUE INDEX incident_open ON incident (group_id) WHERE status <> 'resolved';
CREATE INDEX incident_newest ON incident (opened_at DESC, id DESC);

-- The moment at which an open incident has to be looked at next. Claimed through its incident, whose lock comes first
-- everywhere.
CREATE TABLE timer (
    incident_id uuid        PRIMARY KEY REFERENCES incident (id) ON DELETE CASCADE,
    due_at      timestamptz NOT NULL
);
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE alert (
    key           text        PRIMARY KEY, -- of the whole label set
    group_id      text        NOT NULL,
    labels        jsonb       NOT NULL,
    annotations   jsonb       NOT NULL,
    generator_url text        NOT NULL,
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    timed_out     boolean     NOT NULL, -- the end is a time-out, not the sender's word
    created_at    timestamptz NOT NULL,
    incident_id   uuid        REFERENCES incident (id) ON DELETE SET NULL,
    CONSTRAINT alert_times CHECK (ends_at >= starts_at)
);
CREATE INDEX alert_group ON alert (group_id, ends_at);
CREATE INDEX alert_ends ON alert (ends_at);
CREATE INDEX alert_newest ON alert (created_at DESC, key DESC);

CREATE TABLE silence (
    id         uuid        PRIMARY KEY,
    matchers   jsonb       NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    comment    text        NOT NULL,
    due_at     timestamptz, -- when it next begins or ends, and incidents have to be looked at
    CONSTRAINT silence_times CHECK (ends_at >= starts_at)
);
CREATE INDEX silence_due ON silence (due_at);
CREATE INDEX silence_ends ON silence (ends_at);

-- One message to one target by one channel. The unique key is what makes a page single, however many replicas decide.
CREATE TABLE delivery (
    id          uuid        PRIMARY KEY,
    incident_id uuid        NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    cycle       int         NOT NULL,
    level       int         NOT NULL, -- 0 = a notice
    target      text        NOT NULL,
    channel     text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('page', 'acknowledged', 'resolved')),
    severity    smallint    NOT NULL, -- of the incident: the queue's order
    state       text        NOT NULL CHECK (state IN ('pending', 'accepted', 'failed', 'canceled')),
    attempts    int         NOT NULL DEFAULT 0,
    fence       bigint      NOT NULL DEFAULT 0, -- grows with each claim
    created_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    not_before  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    deadline    timestamptz NOT NULL,
    accepted_at timestamptz,
    error       text        NOT NULL DEFAULT '',
    CONSTRAINT delivery_once UNIQUE (incident_id, cycle, level, target, channel, kind)
);
CREATE INDEX delivery_queue ON delivery (severity, created_at) WHERE state = 'pending';

-- A try, committed before its call. One without an outcome is ambiguous: the call may have happened.
CREATE TABLE attempt (
    delivery_id uuid        NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    n           int         NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    outcome     text        NOT NULL DEFAULT '',
    error       text        NOT NULL DEFAULT '',
    PRIMARY KEY (delivery_id, n)
);
CREATE INDEX attempt_open ON attempt (started_at) WHERE finished_at IS NULL;

-- An incident's history, for people.
CREATE TABLE note (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid        NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    text        text        NOT NULL
);
CREATE INDEX note_incident ON note (incident_id, id);
