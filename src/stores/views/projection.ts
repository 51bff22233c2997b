/**
 * The projection: writes lines of the journal as rows of the views, in batches.
 * The position is the newest row, so it is committed with its rows. A batch is written completely or not at all.
 */
import { strict as assert } from 'node:assert';
import type { DatabaseSync } from 'node:sqlite';
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { JournalLine } from '../../journal/segments/segment-reader.ts';
import { integerIn, optionalIntegerIn, textIn } from '../sqlite/row-value.ts';
import { latencyBucket } from './latency-bucket.ts';
import { type ViewRow, viewRowOf } from './view-row.ts';

/** Writes the views through one connection. All methods throw what SQLite throws; the projection is unusable then. */
export interface Projection {
  /** The number of the newest record in the views; 0 if there is none. */
  position(): number;
  /** The line of a record, as it is stored; undefined if it has no row. */
  line(seq: number): string | undefined;
  /** Writes lines that continue the views, and returns the numbers of those that are not valid records. */
  write(lines: readonly JournalLine[]): number[];
  /** Deletes the rows of the oldest records before `beforeSeq`, at most `limit`, never the newest row. Returns how many. */
  prune(range: { beforeSeq: number; limit: number }): number;
}

/** The names whose numbers are kept in memory. */
const namesMax = 20_000;

/** Creates the projection over a connection of `openViewsWriter`. */
export function createProjection(connection: DatabaseSync): Projection {
  const ends = connection.prepare(
    'SELECT (SELECT min(seq) FROM records) AS oldest, (SELECT max(seq) FROM records) AS newest',
  );
  const body = connection.prepare('SELECT body FROM records WHERE seq = ?');
  const remove = connection.prepare('DELETE FROM records WHERE seq < ?');
  const numberOf = prepareNames(connection);
  const insert = prepareInsert(connection, numberOf);
  const minutes = prepareCallMinutes(connection, numberOf);
  const readEnds = () => {
    const row = ends.get();
    return { oldest: optionalIntegerIn(row, 'oldest'), newest: optionalIntegerIn(row, 'newest') };
  };
  let position = readEnds().newest ?? 0;
  return {
    position: () => position,
    line: (seq) => {
      const row = body.get(seq);
      return row === undefined ? undefined : textIn(row, 'body');
    },
    write: (lines) => {
      const invalid: number[] = [];
      let next = position === 0 ? (lines[0]?.seq ?? 1) : position + 1;
      connection.exec('BEGIN IMMEDIATE');
      for (const each of lines) {
        assert.equal(each.seq, next, 'the lines continue the views');
        const row = viewRowOf(each.line, each.seq);
        if (row === undefined) invalid.push(each.seq);
        insert(each, row);
        minutes.add(row);
        next += 1;
      }
      minutes.write();
      connection.exec('COMMIT');
      position = next - 1;
      return invalid;
    },
    prune: ({ beforeSeq, limit }) => {
      const { oldest } = readEnds();
      if (oldest === undefined) return 0;
      return Number(remove.run(Math.min(beforeSeq, oldest + limit, position)).changes);
    },
  };
}

/** Returns what inserts a line with its columns; a line that is not a valid record has none. In the open transaction. */
function prepareInsert(
  connection: DatabaseSync,
  numberOf: NumberOf,
): (line: JournalLine, row: ViewRow | undefined) => void {
  const insert = connection.prepare(
    `INSERT INTO records (seq, body, time, event, agent, target, namespace, trace, outcome, latency_ms, credited, search)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertBody = connection.prepare('INSERT INTO records (seq, body) VALUES (?, ?)');
  return ({ seq, line }, row) => {
    if (row === undefined) {
      insertBody.run(seq, line);
      return;
    }
    const { call } = row;
    insert.run(
      seq,
      line,
      row.time,
      numberOf(row.event),
      numberOf(row.agent),
      numberOf(row.target),
      numberOf(row.namespace),
      row.trace,
      call === undefined ? null : numberOf(call.outcome),
      call?.latencyMs ?? null,
      call?.credited?.call ?? null,
      call?.credited?.search ?? null,
    );
  };
}

/** Counts calls by minute in memory, and adds the counts of a batch to the table, in the open transaction. */
function prepareCallMinutes(connection: DatabaseSync, numberOf: NumberOf) {
  const add = connection.prepare(
    `INSERT INTO call_minutes (minute, namespace, outcome, bucket, calls) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET calls = calls + excluded.calls`,
  );
  const remove = connection.prepare('DELETE FROM call_minutes WHERE minute < ?');
  const counts = new Map<string, CallCount>();
  let newest = 0;
  return {
    add: (row: ViewRow | undefined) => {
      if (row?.call === undefined) return;
      const minute = Math.floor(row.time / minuteMs);
      const { outcome, latencyMs } = row.call;
      const count = { minute, namespace: row.namespace, outcome, bucket: latencyBucket(latencyMs), calls: 0 };
      const key = `${minute} ${count.bucket} ${outcome} ${row.namespace}`;
      const found = counts.get(key) ?? count;
      found.calls += 1;
      counts.set(key, found);
    },
    write: () => {
      for (const { minute, namespace, outcome, bucket, calls } of counts.values()) {
        add.run(minute, numberOf(namespace), numberOf(outcome), bucket, calls);
        if (minute > newest) remove.run(minute - minutesKept);
        newest = Math.max(newest, minute);
      }
      counts.clear();
    },
  };
}

interface CallCount {
  minute: number;
  namespace: string;
  outcome: string;
  bucket: number;
  calls: number;
}

const minuteMs = 60_000;
/** How many minutes of calls are kept: two days. */
const minutesKept = 2880;

type NumberOf = (name: string) => number;

/** Returns the number of a name, and gives a new name the next one, in the open transaction. */
function prepareNames(connection: DatabaseSync): NumberOf {
  const select = connection.prepare('SELECT id FROM names WHERE name = ?');
  const insert = connection.prepare('INSERT INTO names (name) VALUES (?) RETURNING id');
  const known = new BoundedMap<string, number>(namesMax);
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const id = integerIn(select.get(name) ?? insert.get(name), 'id');
    known.set(name, id);
    return id;
  };
}
