-- Keys that stopped working lately: each replica reads them and forgets what it remembered of those keys.
CREATE TABLE revocation (
  seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kid        text        NOT NULL,
  workspace  text        NOT NULL,
  heard_at   timestamptz NOT NULL,
  CONSTRAINT revocation_names_one CHECK ((kid = '') <> (workspace = ''))
);
CREATE INDEX revocation_heard_at ON revocation (heard_at);

-- When a kind of spike was last announced, so that all replicas together say it once.
CREATE TABLE announcement (
  kind          text        PRIMARY KEY,
  announced_at  timestamptz NOT NULL
);
