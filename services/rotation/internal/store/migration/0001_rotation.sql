-- Credentials, their generations with sealed secrets, rotations with their journal, and who was handed what.

CREATE TABLE credential (
    name              text        CONSTRAINT credential_pkey PRIMARY KEY,
    owner             text        NOT NULL,
    active_generation int         NOT NULL CHECK (active_generation >= 0), -- 0: none yet
    active_at         timestamptz,
    last_generation   int         NOT NULL CHECK (last_generation >= active_generation),
    created_at        timestamptz NOT NULL,
    retired_at        timestamptz
);
CREATE INDEX credential_owner ON credential (owner, name);
CREATE INDEX credential_age ON credential (active_at) WHERE retired_at IS NULL AND active_generation > 0;

CREATE TABLE generation (
    credential text        NOT NULL CONSTRAINT generation_credential REFERENCES credential (name),
    number     int         NOT NULL CHECK (number > 0),
    state      text        NOT NULL CONSTRAINT generation_state
        CHECK (state IN ('minted', 'announced', 'active', 'retiring', 'quarantined', 'destroyed')),
    secret     bytea,                -- sealed under `{credential}/generations/{number}`; null: minted elsewhere, or erased
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (credential, number)
);

CREATE TABLE rotation (
    id              uuid        CONSTRAINT rotation_pkey PRIMARY KEY,
    credential      text        NOT NULL CONSTRAINT rotation_credential REFERENCES credential (name),
    old_generation  int         NOT NULL CHECK (old_generation >= 0), -- 0: there is none
    new_generation  int         NOT NULL CHECK (new_generation > old_generation),
    quiet_window_us bigint      NOT NULL CHECK (quiet_window_us >= 0),
    deadline_at     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    state           text        NOT NULL CONSTRAINT rotation_state CHECK (state IN ('PLANNED', 'MINTED', 'INSTALLED',
        'VERIFIED', 'ANNOUNCED', 'PROMOTED', 'QUARANTINED', 'PROVEN_DEAD', 'DESTROYED', 'COMPLETED', 'BLOCKED', 'ABORTED')),
    resume_state    text        NOT NULL DEFAULT '', -- where a BLOCKED rotation goes on
    blocked_reason  text        NOT NULL DEFAULT '',
    blocked_message text        NOT NULL DEFAULT '',
    abort_reason    text        NOT NULL DEFAULT '',
    abort_message   text        NOT NULL DEFAULT '',
    promoted_at     timestamptz,
    old_seen_at     timestamptz,
    refusals        int         NOT NULL DEFAULT 0,
    failures        int         NOT NULL DEFAULT 0,
    retry_at        timestamptz,
    due_at          timestamptz NOT NULL,
    ended_at        timestamptz,
    -- Written by others than the lease's holder; inputs counts them, so that none is overlooked.
    acknowledged_at timestamptz,
    retired         boolean     NOT NULL DEFAULT false,
    inputs          int         NOT NULL DEFAULT 0,
    -- The lease: whoever claims raises the epoch, and writes of an earlier one are refused.
    epoch           bigint      NOT NULL DEFAULT 0,
    lease_owner     text        NOT NULL DEFAULT '',
    lease_until     timestamptz,
    CONSTRAINT rotation_generation_once UNIQUE (credential, new_generation),
    CONSTRAINT rotation_ended CHECK ((ended_at IS NOT NULL) = (state IN ('COMPLETED', 'ABORTED')))
);
CREATE UNIQUE INDEX rotation_one_active ON rotation (credential) WHERE ended_at IS NULL;
CREATE INDEX rotation_due ON rotation (due_at) WHERE ended_at IS NULL;
CREATE INDEX rotation_list ON rotation (credential, created_at DESC, id DESC);

-- One row per act: opened before the target is touched, closed with what came of it.
CREATE TABLE journal (
    rotation  uuid        NOT NULL CONSTRAINT journal_rotation REFERENCES rotation (id),
    seq       int         NOT NULL,
    action    text        NOT NULL,
    reason    text        NOT NULL,
    epoch     bigint      NOT NULL,
    opened_at timestamptz NOT NULL,
    attempts  int         NOT NULL,
    failure   text        NOT NULL DEFAULT '', -- of the last attempt
    closed_at timestamptz,
    state     text        NOT NULL DEFAULT '', -- that the act led to
    evidence  text        NOT NULL DEFAULT '',
    PRIMARY KEY (rotation, seq),
    CONSTRAINT journal_closed CHECK ((closed_at IS NULL) = (state = ''))
);
CREATE UNIQUE INDEX journal_one_open ON journal (rotation) WHERE closed_at IS NULL;

CREATE TABLE redemption (
    id         uuid        PRIMARY KEY,
    credential text        NOT NULL CONSTRAINT redemption_credential REFERENCES credential (name),
    generation int         NOT NULL,
    principal  text        NOT NULL,
    kind       text        NOT NULL,
    request_id text        NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX redemption_credential_at ON redemption (credential, at);

CREATE TABLE request (
    scope      text        NOT NULL, -- method and principal
    request_id uuid        NOT NULL,
    body_hash  bytea       NOT NULL,
    rotation   uuid        NOT NULL CONSTRAINT request_rotation REFERENCES rotation (id),
    at         timestamptz NOT NULL,
    PRIMARY KEY (scope, request_id)
);
