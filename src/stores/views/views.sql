-- The SQL schema of the views of the audit trail. All rows are derived from the journal, and the file may be deleted at any time.
-- A change of the schema raises user_version here and viewsVersion in views-file.ts; files of another version are built anew.

PRAGMA application_id = 1212503638; -- 'HEVV': marks a file of views
PRAGMA user_version = 3;

-- Texts that many records share, by a short number. The first five are constants of the statements.
CREATE TABLE names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO names (id, name) VALUES (1, 'TOOL_OUTCOME'), (2, 'success'), (3, 'error'), (4, 'timeout'), (5, 'abandoned');

-- One row for each record of the journal, without a gap up to the newest row: max(seq) is the position of the views.
-- body is the line of the record. A line that is not a valid record is kept as it is, with no other column.
CREATE TABLE records (
  seq        INTEGER PRIMARY KEY,
  body       TEXT NOT NULL,
  time       INTEGER, -- Unix milliseconds
  event      INTEGER, -- names.id, as the next three
  agent      INTEGER,
  target     INTEGER,
  namespace  INTEGER,
  trace      INTEGER, -- the first 48 bits of the trace id, which the statements compare in full with body
  outcome    INTEGER, -- names.id; of tool outcomes only, as all that follow
  latency_ms REAL,
  credited   INTEGER, -- the first 48 bits of the call id, as above, if the outcome was credited to a search
  search     INTEGER  -- the first 48 bits of the id of that search
) STRICT;
CREATE INDEX records_by_agent ON records (agent);
CREATE INDEX records_by_trace ON records (trace);
-- Tool outcomes are most of the records, and are found quickly without an index.
CREATE INDEX records_by_event ON records (event) WHERE event <> 1;
-- A covering index of the statistics, which never read the table. The target of a tool outcome is its tool.
CREATE INDEX records_by_target ON records (target, seq, namespace, outcome, latency_ms);
CREATE INDEX records_by_call ON records (credited) WHERE credited IS NOT NULL;
CREATE INDEX records_by_search ON records (search) WHERE search IS NOT NULL;
CREATE INDEX records_credited ON records (seq) WHERE credited IS NOT NULL;
-- The calls that failed, which an operator looks for.
CREATE INDEX records_failed ON records (outcome) WHERE outcome > 2;

-- Calls by minute, for what happened in the last hours. A minute is deleted two days after the newest.
CREATE TABLE call_minutes (
  minute    INTEGER NOT NULL, -- Unix minutes
  namespace INTEGER NOT NULL, -- names.id, as the next one
  outcome   INTEGER NOT NULL,
  bucket    INTEGER NOT NULL, -- of the latency: see latency-bucket.ts
  calls     INTEGER NOT NULL,
  PRIMARY KEY (minute, namespace, outcome, bucket)
) STRICT, WITHOUT ROWID;
