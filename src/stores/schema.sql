-- The SQL schema of the hub's database, which holds its state. What happened is in the journal.
-- Times are Unix milliseconds unless the column's comment says otherwise.
-- A change of the schema raises user_version here and schemaVersion in database.ts, and adds an upgrade there.

PRAGMA application_id = 1212502868; -- 'HEST': marks a database of the hub
PRAGMA user_version = 8;

CREATE TABLE api_keys (
  key_id      TEXT PRIMARY KEY,
  agent_id    TEXT NOT NULL,
  namespace   TEXT NOT NULL,
  role        TEXT NOT NULL CHECK (role IN ('agent', 'auditor', 'operator')),
  secret_hash TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER,
  revoked_at  INTEGER,
  last_used_at INTEGER,
  scope       TEXT
) STRICT;

-- Audit records of committed changes on their way to the journal. entry is the JSON of the record without its number. The record
-- can only be in the journal behind the first journal_size records. A row is deleted once its record is in the journal.
CREATE TABLE outbox (
  position     INTEGER PRIMARY KEY,
  record_id    TEXT NOT NULL UNIQUE,
  entry        TEXT NOT NULL,
  journal_size INTEGER NOT NULL
) STRICT;

-- What the hub knows of the clock, so that a jump does not delete the audit trail. seen_at is the last time read, and confirmed_ms
-- how long the hub has been running since a jump; NULL while the clock is trusted. One row.
CREATE TABLE retention_clock (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  seen_at      INTEGER,
  confirmed_ms INTEGER
) STRICT;
INSERT INTO retention_clock (id) VALUES (1);

-- The id of the audit trail's writer; a database has one writer. One row.
CREATE TABLE audit_writer (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  writer_id TEXT NOT NULL
) STRICT;
INSERT INTO audit_writer (id, writer_id) VALUES (1, 'writer_' || lower(hex(randomblob(16))));

-- Searches and their results, so that a rank can be explained and an outcome attributed to its search. shown is JSON.
CREATE TABLE searches (
  search_id   TEXT PRIMARY KEY,
  key_id      TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  namespace   TEXT NOT NULL,
  query       TEXT NOT NULL,
  query_key   TEXT,
  source      TEXT NOT NULL,
  scoring     TEXT NOT NULL CHECK (scoring IN ('lexical', 'hybrid')),
  shown       TEXT NOT NULL,
  searched_at INTEGER NOT NULL
) STRICT;
CREATE INDEX searches_by_time ON searches (searched_at);
CREATE INDEX searches_by_agent ON searches (agent_id, searched_at);
CREATE INDEX searches_without_result ON searches (searched_at) WHERE shown = '[]';

CREATE TABLE skills (
  skill_id       TEXT PRIMARY KEY,
  namespace      TEXT NOT NULL,
  name           TEXT NOT NULL,
  owner_agent_id TEXT NOT NULL,
  source         TEXT NOT NULL CHECK (source IN ('published', 'directory')),
  latest_version INTEGER NOT NULL,
  description    TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  deleted_at     INTEGER,
  origin         TEXT,    -- the folder it was read from
  retired_at     INTEGER, -- since when its folder has been missing, past the grace period
  resumes        TEXT     -- JSON: the activation that is restored when the folder of a retired skill returns
) STRICT;
-- A deleted or retired skill frees its name and keeps its versions.
CREATE UNIQUE INDEX skills_by_name ON skills (namespace, name) WHERE deleted_at IS NULL AND retired_at IS NULL;
-- Read for each new skill of a directory. Few skills are retired.
CREATE INDEX skills_retired ON skills (namespace) WHERE deleted_at IS NULL AND retired_at IS NOT NULL;

-- The bytes of SKILL.md and of the other files of skills, once for each SHA-256 (hex).
CREATE TABLE skill_blobs (
  digest  TEXT PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

-- document is a manifest in JSON, which references the bytes of files by their SHA-256. bytes counts the manifest and the files.
CREATE TABLE skill_versions (
  skill_id     TEXT NOT NULL REFERENCES skills (skill_id),
  version      INTEGER NOT NULL CHECK (version >= 1),
  digest       TEXT NOT NULL GENERATED ALWAYS AS (json_extract(document, '$.digest')) STORED,
  published_by TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  document     TEXT NOT NULL,
  bytes        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (skill_id, version)
) STRICT;
CREATE TRIGGER skill_versions_never_change BEFORE UPDATE ON skill_versions
BEGIN
  SELECT RAISE(ABORT, 'skill versions are immutable');
END;

-- The bytes of all stored versions that an agent has published in a namespace, also those of deleted skills.
CREATE TABLE skill_bytes (
  namespace TEXT NOT NULL,
  agent_id  TEXT NOT NULL,
  bytes     INTEGER NOT NULL,
  PRIMARY KEY (namespace, agent_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER skill_bytes_stored AFTER INSERT ON skill_versions
BEGIN
  INSERT INTO skill_bytes (namespace, agent_id, bytes)
    SELECT namespace, new.published_by, new.bytes FROM skills WHERE skill_id = new.skill_id
    ON CONFLICT (namespace, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER skill_bytes_deleted AFTER DELETE ON skill_versions
BEGIN
  UPDATE skill_bytes SET bytes = bytes - old.bytes
    WHERE agent_id = old.published_by AND namespace = (SELECT namespace FROM skills WHERE skill_id = old.skill_id);
END;

-- A skill has at most one activation. Its name and namespace are in its row in skills.
CREATE TABLE activations (
  activation_id TEXT PRIMARY KEY,
  skill_id      TEXT NOT NULL UNIQUE,
  version       INTEGER NOT NULL,
  agent_id      TEXT NOT NULL,
  tool_name     TEXT NOT NULL,
  registered    INTEGER NOT NULL CHECK (registered IN (0, 1)),
  activated_at  INTEGER NOT NULL,
  expires_at    INTEGER,
  FOREIGN KEY (skill_id, version) REFERENCES skill_versions (skill_id, version)
) STRICT;
CREATE INDEX activations_by_expiry ON activations (expires_at) WHERE expires_at IS NOT NULL;

-- Skills and tool definitions that are blocked or marked. scope is the namespace of a skill or the server id of a tool.
CREATE TABLE quarantine (
  seq           INTEGER PRIMARY KEY,
  quarantine_id TEXT NOT NULL UNIQUE,
  kind          TEXT NOT NULL CHECK (kind IN ('skill', 'tool')),
  scope         TEXT NOT NULL,
  name          TEXT NOT NULL,
  digest        TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('blocked', 'held', 'noted', 'approved', 'refused')),
  detail        TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  decided_at    INTEGER,
  decided_by    TEXT,
  reason        TEXT,
  UNIQUE (kind, scope, name, digest)
) STRICT;

-- The trusted definition of each upstream tool: the first one seen, or the last one approved.
CREATE TABLE tool_pins (
  server_id  TEXT NOT NULL,
  tool_name  TEXT NOT NULL,
  digest     TEXT NOT NULL,
  definition TEXT NOT NULL,
  pinned_at  INTEGER NOT NULL,
  clean_scan TEXT,
  PRIMARY KEY (server_id, tool_name)
) STRICT, WITHOUT ROWID;

-- Logins to upstream servers. agent is namespace/agent_id, or empty for the login of the hub. sealed is JSON, encrypted with AES-256-GCM.
CREATE TABLE server_logins (
  server_id  TEXT NOT NULL,
  agent      TEXT NOT NULL,
  sealed     BLOB NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (server_id, agent)
) STRICT, WITHOUT ROWID;

-- Totals of the scheduler. One row.
CREATE TABLE scheduler_totals (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  total_cleanups INTEGER NOT NULL,
  total_deleted  INTEGER NOT NULL,
  last_run_time  INTEGER,
  last_success_time INTEGER
) STRICT;
INSERT INTO scheduler_totals (id, total_cleanups, total_deleted) VALUES (1, 0, 0);

-- Updated to check whether the database can be written. One row.
CREATE TABLE write_check (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  checked_at INTEGER NOT NULL
) STRICT;
INSERT INTO write_check (id, checked_at) VALUES (1, 0);
