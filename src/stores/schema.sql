-- The SQL schema of the hub's database, which holds all of its state.
-- Times are Unix milliseconds unless the column's comment says otherwise.
-- A change of the schema raises user_version here and schemaVersion in database.ts, and adds an upgrade there.

PRAGMA application_id = 1212502868; -- 'HEST': marks a database of the hub
PRAGMA user_version = 5;

CREATE TABLE api_keys (
  key_id      TEXT PRIMARY KEY,
  agent_id    TEXT NOT NULL,
  namespace   TEXT NOT NULL,
  role        TEXT NOT NULL CHECK (role IN ('agent', 'auditor', 'operator')),
  secret_hash TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER,
  revoked_at  INTEGER,
  last_used_at INTEGER
) STRICT;

-- The audit trail. body is the canonical JSON text (RFC 8785) of the complete record. Every other column is extracted
-- from it, so that no filter can disagree with what was hashed. time is ISO 8601 in UTC.
CREATE TABLE audit_records (
  seq      INTEGER PRIMARY KEY CHECK (seq = json_extract(body, '$.seq')),
  body     TEXT NOT NULL,
  hash     TEXT GENERATED ALWAYS AS (json_extract(body, '$.hash')) VIRTUAL,
  time     TEXT GENERATED ALWAYS AS (json_extract(body, '$.time')) VIRTUAL,
  event    TEXT GENERATED ALWAYS AS (json_extract(body, '$.event')) VIRTUAL,
  agent_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.agent_id')) VIRTUAL,
  trace_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.trace_id')) VIRTUAL
) STRICT;
-- Tool outcomes are most of the trail, and are found quickly without an index.
CREATE INDEX audit_records_by_event ON audit_records (event) WHERE event <> 'TOOL_OUTCOME';
CREATE INDEX audit_records_by_agent ON audit_records (agent_id);
CREATE INDEX audit_records_by_trace ON audit_records (trace_id);

-- The id of the chain's writer; a database has one writer. One row.
CREATE TABLE audit_writer (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  writer_id TEXT NOT NULL
) STRICT;
INSERT INTO audit_writer (id, writer_id) VALUES (1, 'writer_' || lower(hex(randomblob(16))));

-- Signed checkpoints over the records. body is canonical JSON as above. frontier is a JSON array of the roots of the perfect
-- subtrees up to last_seq, the largest first.
CREATE TABLE audit_checkpoints (
  number   INTEGER PRIMARY KEY CHECK (number = json_extract(body, '$.number')),
  body     TEXT NOT NULL,
  frontier TEXT NOT NULL,
  last_seq INTEGER GENERATED ALWAYS AS (json_extract(body, '$.last_seq')) VIRTUAL,
  time     TEXT GENERATED ALWAYS AS (json_extract(body, '$.time')) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX audit_checkpoints_by_last_seq ON audit_checkpoints (last_seq);

-- Roots of perfect subtrees of 256 leaves and more, so that a proof reads few records.
CREATE TABLE audit_tree_nodes (
  level    INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash     TEXT NOT NULL,
  PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- The position before the oldest record: the last record that was pruned, or zeros. Its checkpoint is kept. One row.
CREATE TABLE audit_anchor (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  seq  INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_anchor (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TRIGGER audit_records_never_change BEFORE UPDATE ON audit_records
BEGIN
  SELECT RAISE(ABORT, 'audit records are append-only');
END;
CREATE TRIGGER audit_records_go_behind_the_anchor BEFORE DELETE ON audit_records
WHEN OLD.seq > (SELECT seq FROM audit_anchor)
BEGIN
  SELECT RAISE(ABORT, 'audit records are deleted only behind the anchor');
END;
CREATE TRIGGER audit_checkpoints_never_change BEFORE UPDATE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'audit checkpoints are append-only');
END;
CREATE TRIGGER audit_checkpoints_go_behind_the_anchor BEFORE DELETE ON audit_checkpoints
WHEN OLD.last_seq >= (SELECT seq FROM audit_anchor)
BEGIN
  SELECT RAISE(ABORT, 'audit checkpoints are deleted only behind the anchor');
END;

CREATE TABLE tool_outcomes (
  call_id     TEXT PRIMARY KEY,
  server_id   TEXT NOT NULL,
  tool_name   TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  namespace   TEXT NOT NULL,
  key_id      TEXT NOT NULL,
  outcome     TEXT NOT NULL CHECK (outcome IN ('success', 'error', 'timeout', 'abandoned')),
  error_type  TEXT,
  latency_ms  REAL NOT NULL CHECK (latency_ms >= 0),
  search_id   TEXT,
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tool_outcomes_by_time ON tool_outcomes (recorded_at);
-- A covering index of the statistics, which never read the table. Within a tool and namespace, outcomes are in the order of time,
-- so that inserts append.
CREATE INDEX tool_outcomes_by_tool ON tool_outcomes (server_id, tool_name, namespace, recorded_at, outcome, latency_ms);

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

-- Lessons learned from outcomes. Replaying them in the order of position restores the outcome memory. A search yields at most one
-- lesson about each tool. A lesson is deleted with its outcome.
CREATE TABLE lessons (
  position       INTEGER PRIMARY KEY,
  call_id        TEXT NOT NULL UNIQUE REFERENCES tool_outcomes (call_id) ON DELETE CASCADE,
  search_id      TEXT NOT NULL,
  namespace      TEXT NOT NULL,
  key_id         TEXT NOT NULL,
  query_key      TEXT,
  server_id      TEXT NOT NULL,
  tool_name      TEXT NOT NULL,
  tool_namespace TEXT,
  outcome        TEXT NOT NULL CHECK (outcome IN ('success', 'error', 'timeout', 'abandoned')),
  latency_ms     REAL NOT NULL,
  blame          REAL NOT NULL CHECK (blame BETWEEN 0 AND 1),
  recorded_at    INTEGER NOT NULL,
  UNIQUE (search_id, server_id, tool_name)
) STRICT;

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

-- The bytes of SKILL.md and of the other files of skills, once for each SHA-256 (hex).
CREATE TABLE skill_blobs (
  digest  TEXT PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

-- document is a manifest in JSON, which references the bytes of files by their SHA-256.
CREATE TABLE skill_versions (
  skill_id     TEXT NOT NULL REFERENCES skills (skill_id),
  version      INTEGER NOT NULL CHECK (version >= 1),
  digest       TEXT NOT NULL GENERATED ALWAYS AS (json_extract(document, '$.digest')) STORED,
  published_by TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  document     TEXT NOT NULL,
  PRIMARY KEY (skill_id, version)
) STRICT;
CREATE TRIGGER skill_versions_never_change BEFORE UPDATE ON skill_versions
BEGIN
  SELECT RAISE(ABORT, 'skill versions are immutable');
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
  state         TEXT NOT NULL CHECK (state IN ('blocked', 'held', 'noted', 'approved')),
  detail        TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  decided_at    INTEGER,
  decided_by    TEXT,
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
