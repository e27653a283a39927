-- What the tenant service owns: slots, workspaces, keys, what was asked before, and the journal of acts on cells.

CREATE TABLE slot (
    ref         text        PRIMARY KEY CONSTRAINT slot_ref CHECK (ref ~ '^[a-z]{20}$'), -- never deleted: refs are not reused
    cell        text        NOT NULL,
    state       text        NOT NULL CONSTRAINT slot_state CHECK (state IN ('building', 'ready', 'claimed')),
    attempt     int         NOT NULL,          -- how often building was begun; only the newest may finish
    lease_until timestamptz NOT NULL,          -- who builds it has until then; later it is anybody's
    secrets     bytea,                         -- sealed; NULL while building
    ready_time  timestamptz,
    create_time timestamptz NOT NULL,
    CONSTRAINT slot_complete CHECK (state = 'building' OR secrets IS NOT NULL AND ready_time IS NOT NULL)
);
CREATE INDEX slot_ready ON slot (cell, ready_time, ref) WHERE state = 'ready';
CREATE INDEX slot_building ON slot (lease_until) WHERE state = 'building';
-- The head of the queue is where dead entries gather: vacuum early.
ALTER TABLE slot SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

CREATE TABLE workspace (
    ref              text        PRIMARY KEY REFERENCES slot (ref),
    display_name     text        NOT NULL,
    plan             text        NOT NULL,
    applied_plan     text        NOT NULL,     -- whose limits the cell enforces now
    state            text        NOT NULL CONSTRAINT workspace_state CHECK (state IN ('active', 'deleted', 'erased')),
    cell             text        NOT NULL,
    server           text        NOT NULL,
    login_generation int         NOT NULL,     -- that the customer holds
    create_time      timestamptz NOT NULL,
    delete_time      timestamptz,
    revoke_time      timestamptz,              -- when its logins and S3 keys were found dead
    CONSTRAINT workspace_tombstone CHECK ((state = 'active') = (delete_time IS NULL))
);
CREATE INDEX workspace_newest ON workspace (state, create_time DESC, ref DESC);
CREATE INDEX workspace_unrevoked ON workspace (delete_time) WHERE state = 'deleted' AND revoke_time IS NULL;
CREATE INDEX workspace_unapplied ON workspace (create_time) WHERE state = 'active' AND applied_plan <> plan;

CREATE TABLE api_key (
    kid          text        PRIMARY KEY,
    workspace    text        REFERENCES workspace (ref), -- NULL: an operator's
    kind         text        NOT NULL CONSTRAINT api_key_kind CHECK (kind IN ('sec', 'pub', 'adm')),
    display_name text        NOT NULL,
    hash         bytea       NOT NULL,
    pepper       int         NOT NULL,
    create_time  timestamptz NOT NULL,
    expire_time  timestamptz,
    revoke_time  timestamptz,
    CONSTRAINT api_key_owner CHECK ((kind = 'adm') = (workspace IS NULL))
);
CREATE INDEX api_key_newest ON api_key (workspace, create_time DESC, kid DESC);

CREATE TABLE request (
    method      text        NOT NULL,
    principal   text        NOT NULL,
    request_id  uuid        NOT NULL,
    fingerprint bytea       NOT NULL,
    resource    text        NOT NULL,
    reply       bytea,                         -- sealed; withheld after 24 h
    create_time timestamptz NOT NULL,
    CONSTRAINT request_once PRIMARY KEY (method, principal, request_id)
);
CREATE INDEX request_reply ON request (create_time) WHERE reply IS NOT NULL;

CREATE TABLE login (
    owner          text        NOT NULL,       -- workspaces/{ref} or servers/{id}
    generation     int         NOT NULL,
    intent         text        NOT NULL CONSTRAINT login_intent CHECK (intent IN ('none', 'install', 'disable', 'enable', 'drop')),
    intent_time    timestamptz NOT NULL,
    outcome_time   timestamptz,                -- NULL: begun, not known to have ended
    last_seen_time timestamptz,
    PRIMARY KEY (owner, generation)
);

CREATE TABLE restore (
    workspace    text        NOT NULL REFERENCES workspace (ref),
    restore_id   uuid        NOT NULL,
    intent       text        NOT NULL CONSTRAINT restore_intent CHECK (intent IN ('stage', 'swap', 'undo', 'clear')),
    intent_time  timestamptz NOT NULL,
    outcome_time timestamptz,                  -- NULL: begun, not known to have ended
    swapped      boolean     NOT NULL,         -- whether SchemaSwapped was told
    PRIMARY KEY (workspace, restore_id)
);
