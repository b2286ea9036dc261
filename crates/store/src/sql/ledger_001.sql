-- What a server knows beside its sessions: who may do what. Secrets are kept as SHA-256 (random ones) or Argon2 (the
-- owner's password), never as they are.

CREATE TABLE owner (
  id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
  password TEXT NOT NULL,                -- Argon2, as a PHC string
  changed_utc TEXT NOT NULL
);

-- For programs that read, like `affectograph pull`.
CREATE TABLE api_token (
  name TEXT PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  created_utc TEXT NOT NULL
);

-- Stand in web pages: public, and good for nothing but beginning a session from one of their origins.
CREATE TABLE write_key (
  key TEXT PRIMARY KEY,
  study TEXT NOT NULL,
  origins TEXT NOT NULL,                 -- JSON list
  created_utc TEXT NOT NULL,
  is_revoked INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE remote_session (
  id TEXT PRIMARY KEY,
  token_sha256 BLOB NOT NULL,
  key TEXT NOT NULL,
  study TEXT NOT NULL,
  participant TEXT NOT NULL,
  folder TEXT NOT NULL UNIQUE,           -- relative to the folder of sessions
  origin TEXT NOT NULL,
  camera TEXT NOT NULL,                  -- video, scores, off
  created_utc TEXT NOT NULL,
  seen_utc TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'closed')),
  finish TEXT                            -- JSON: what the client said it had sent
);

CREATE INDEX remote_session_of_key ON remote_session (key, state);

-- The highest participant number ever given, so that an erased one's is not given again.
CREATE TABLE given (id INTEGER PRIMARY KEY CHECK (id = 1), participant INTEGER NOT NULL);
INSERT INTO given VALUES (1, 0);
