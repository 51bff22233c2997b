/** The views of a journal under test: real segments, a real worker thread and a real SQLite file in a temporary folder. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Journal } from '../../src/journal/journal.ts';
import { recordLine } from '../../src/journal/record-line.ts';
import { segmentAt, segmentsFolder } from '../../src/journal/segments/segment.ts';
import type { AuditEntry } from '../../src/shapes/audit.ts';
import type { EventFields } from '../../src/shapes/event.ts';
import { newId } from '../../src/shapes/id.ts';
import type { StorageErrorType } from '../../src/shapes/storage.ts';
import { type AuditViews, createAuditViews } from '../../src/stores/views/audit-views.ts';

/** A log line of the views. */
export interface ViewsLogLine {
  level: string;
  message: string;
  fields: EventFields | undefined;
}

/** The stage. Disposing stops the views and removes the folder. */
export interface ViewsStage extends AsyncDisposable {
  folder: string;
  file: string;
  journal: Pick<Journal, 'size' | 'firstSeq' | 'onAppended'>;
  logged: ViewsLogLine[];
  failures: StorageErrorType[];
  /** The threads that were started, the newest last. */
  workers: Worker[];
  /** Appends records, and returns the number of the last one. */
  append(...entries: AuditEntry[]): number;
  /** Appends a line that may be anything. */
  appendLine(line: string): number;
  /** Further records go to a new segment. */
  closeSegment(): void;
  /** The number from which records are stored; segments before it are deleted by the test. */
  setFirstSeq(seq: number): void;
  /** The next journal is another one, of this size. */
  setSize(size: number): void;
  start(): AuditViews;
}

/** Creates a stage with an empty journal; `start` starts the views. */
export async function openViewsStage(): Promise<ViewsStage> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-views-'));
  const file = join(folder, 'views.db');
  mkdirSync(segmentsFolder(folder), { recursive: true });
  const listeners: ((size: number) => void)[] = [];
  const state = { size: 0, firstSeq: 1, segment: 0 };
  const started: AuditViews[] = [];
  const logged: ViewsLogLine[] = [];
  const failures: StorageErrorType[] = [];
  const workers: Worker[] = [];
  const logAt = (level: string) => (message: string, fields?: EventFields) => {
    logged.push({ level, message, fields });
  };
  const journal: ViewsStage['journal'] = {
    size: () => state.size,
    firstSeq: () => state.firstSeq,
    onAppended: (listener) => void listeners.push(listener),
  };
  const appendLines = (lines: readonly string[]) => {
    appendFileSync(segmentAt(folder, state.segment).file, lines.map((line) => `${line}\n`).join(''));
    state.size += lines.length;
    for (const listener of listeners) listener(state.size);
    return state.size;
  };
  return {
    folder,
    file,
    journal,
    logged,
    failures,
    workers,
    append: (...entries) => appendLines(entries.map((entry, index) => recordLine(entry, state.size + index + 1))),
    appendLine: (line) => appendLines([line]),
    closeSegment: () => {
      state.segment = state.size;
    },
    setFirstSeq: (seq) => {
      state.firstSeq = seq;
    },
    setSize: (size) => {
      state.size = size;
    },
    start: () => {
      const views = createAuditViews({
        file,
        journalDirectory: folder,
        journal,
        log: { info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
        onFailure: (type) => failures.push(type),
        startWorker: (script, options) => {
          const worker = new Worker(script, options);
          workers.push(worker);
          return worker;
        },
      });
      started.push(views);
      return views;
    },
    [Symbol.asyncDispose]: async () => {
      for (const views of started) await views[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The time of the first record of {@link auditEntry}, in Unix milliseconds. */
export const entryTimeMs = Date.UTC(2026, 0, 1);

/** A record that differs from a plain change by `differences`. */
export function auditEntry(differences: Partial<AuditEntry> = {}): AuditEntry {
  return {
    writer_id: 'writer_0123456789abcdef',
    time: new Date(entryTimeMs).toISOString(),
    kind: 'change',
    event: 'SKILL_PUBLISHED',
    target: 'skill:notes',
    outcome: 'success',
    agent_id: 'ada',
    namespace: 'team-a',
    key_id: 'key_1',
    trace_id: '0123456789abcdef0123456789abcdef',
    span_id: '0123456789abcdef',
    fields: { skill_name: 'notes' },
    ...differences,
  };
}

/** A tool outcome. */
export function outcomeEntry(
  { server, tool, latencyMs, callId, credited }: OutcomeDifferences = {},
  differences: Partial<AuditEntry> = {},
): AuditEntry {
  const [serverId, toolName] = [server ?? 'github', tool ?? 'list'];
  return auditEntry({
    kind: 'tool_outcome',
    event: 'TOOL_OUTCOME',
    target: `tool:${serverId}/${toolName}`,
    ...differences,
    fields: {
      call_id: callId ?? newId('call'),
      latency_ms: latencyMs ?? 1.5,
      server_id: serverId,
      tool_name: toolName,
      ...(credited !== undefined && { credited_search_id: credited, search_id: credited }),
    },
  });
}

interface OutcomeDifferences {
  server?: string;
  tool?: string;
  latencyMs?: number;
  callId?: string;
  credited?: string;
}
