CREATE TABLE workspace (
    ref text PRIMARY KEY CONSTRAINT workspace_ref_shape CHECK (ref ~ '^[a-z]{20}$'),
    server text NOT NULL,                -- servers/{id}
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,              -- no snapshot or restore begins after it
    due_at timestamptz NOT NULL          -- next scheduled snapshot
);
CREATE INDEX workspace_due ON workspace (due_at) WHERE deleted_at IS NULL;

CREATE TABLE snapshot (
    id uuid PRIMARY KEY,
    ref text NOT NULL REFERENCES workspace,
    state text NOT NULL CONSTRAINT snapshot_state CHECK (state IN ('pending', 'running', 'verified', 'failed')),
    progress int NOT NULL DEFAULT 0 CONSTRAINT snapshot_progress CHECK (progress BETWEEN 0 AND 100),
    problem jsonb,
    created_at timestamptz NOT NULL,
    taken_at timestamptz,
    ended_at timestamptz,
    tables jsonb NOT NULL DEFAULT '[]',
    row_count bigint NOT NULL DEFAULT 0,
    raw_bytes bigint NOT NULL DEFAULT 0,
    stored_bytes bigint NOT NULL DEFAULT 0,
    object_count bigint NOT NULL DEFAULT 0,
    object_bytes bigint NOT NULL DEFAULT 0,
    token int NOT NULL DEFAULT 0,        -- grows with each claim: a worker that lost its lease writes nothing any more
    failures int NOT NULL DEFAULT 0,
    leased_until timestamptz,
    try_at timestamptz NOT NULL
);
CREATE INDEX snapshot_open ON snapshot (try_at) WHERE state IN ('pending', 'running');
CREATE INDEX snapshot_list ON snapshot (ref, created_at DESC, id DESC);

CREATE TABLE snapshot_copy (
    snapshot_id uuid NOT NULL REFERENCES snapshot,
    region text NOT NULL,
    verified_at timestamptz,
    error text NOT NULL DEFAULT '',
    failures int NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    PRIMARY KEY (snapshot_id, region)
);
CREATE INDEX snapshot_copy_missing ON snapshot_copy (try_at) WHERE verified_at IS NULL;

CREATE TABLE restore (
    id uuid PRIMARY KEY,
    ref text NOT NULL REFERENCES workspace,
    snapshot_id uuid NOT NULL REFERENCES snapshot,
    wanted_region text NOT NULL,         -- empty = whichever answers
    region text NOT NULL DEFAULT '',
    state text NOT NULL CONSTRAINT restore_state CHECK
        (state IN ('pending', 'staging', 'comparing', 'swapping', 'completed', 'failed', 'undoing', 'undone')),
    progress int NOT NULL DEFAULT 0 CONSTRAINT restore_progress CHECK (progress BETWEEN 0 AND 100),
    problem jsonb,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    tables jsonb NOT NULL DEFAULT '[]',
    object_count bigint NOT NULL DEFAULT 0,
    undo_schema text NOT NULL DEFAULT '',
    undo_expire_at timestamptz,
    undo_cleared boolean NOT NULL DEFAULT false, -- the kept schema is dropped
    stage_cleared boolean NOT NULL DEFAULT false, -- the staged schema, its login and scratch database are dropped
    token int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    leased_until timestamptz,
    try_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX restore_one_active ON restore (ref) WHERE state IN ('pending', 'staging', 'comparing', 'swapping', 'undoing');
CREATE INDEX restore_list ON restore (ref, created_at DESC, id DESC);
CREATE INDEX restore_leftover ON restore (try_at) WHERE NOT (stage_cleared AND undo_cleared);

-- What a restore changed in one region's bucket, for the undo and for a region that was away.
CREATE TABLE restore_region (
    restore_id uuid NOT NULL REFERENCES restore,
    region text NOT NULL,
    since timestamptz NOT NULL,          -- later changes of the customer are left alone
    done boolean NOT NULL,
    failures int NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    PRIMARY KEY (restore_id, region)
);
CREATE TABLE restore_object (
    restore_id uuid NOT NULL REFERENCES restore,
    region text NOT NULL,
    object_key text NOT NULL,
    replaced_version text NOT NULL,      -- empty = there was no object
    PRIMARY KEY (restore_id, region, object_key)
);

CREATE TABLE request (
    method text NOT NULL,
    ref text NOT NULL,
    request_id uuid NOT NULL,
    digest bytea NOT NULL,               -- SHA-256 of the request without its id
    resource uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (method, ref, request_id)
);

CREATE TABLE reader (
    server text PRIMARY KEY,             -- servers/{id}
    announced int NOT NULL DEFAULT 0,    -- newest generation that rotation announced
    generation int NOT NULL DEFAULT 0,   -- in use; 0 = none yet
    login text NOT NULL DEFAULT '',
    secret bytea,                        -- password, sealed
    acknowledged boolean NOT NULL DEFAULT false,
    failures int NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL
);
