/** An audit trail on its own database: the real parts, a clock that can be advanced, and the lines of an export. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { trace } from '@opentelemetry/api';
import { trailLines } from '../../src/domain/audit/trail-lines.ts';
import { verifyTrail } from '../../src/domain/audit/verification.ts';
import { hubCaller } from '../../src/shapes/access.ts';
import type { AuditVerdict } from '../../src/shapes/audit.ts';
import type { AuditCheckpoint } from '../../src/shapes/audit-checkpoint.ts';
import type { HubEvent } from '../../src/shapes/event.ts';
import type { AuditCheckpointStore } from '../../src/stores/audit-checkpoint-store.ts';
import type { AuditStore } from '../../src/stores/audit-store.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { type Audit, createAudit } from '../../src/wiring/audit.ts';
import { readLines } from './hub/hub.ts';
import { openStoreDatabase, type StoreDatabase } from './store-database.ts';

/** A trail under test. */
export interface TestTrail extends AsyncDisposable {
  store: StoreDatabase;
  auditStore: AuditStore;
  checkpointStore: AuditCheckpointStore;
  parts: Audit;
  /** Creates new parts over the same database and key files, as after a restart. */
  reopened(): Audit;
  /** The events reported to telemetry so far. */
  reported: HubEvent[];
  /** Records this number of tool outcomes; their tool names are numbered consecutively. */
  write(count: number): Promise<void>;
  /** Signs all records. */
  sign(): Promise<void>;
  lines(): Promise<string[]>;
  verify(): Promise<AuditVerdict>;
  checkpoints(): Promise<AuditCheckpoint[]>;
  /** Prunes records that were signed before now, at most `limit`. */
  prune(limit?: number): Promise<number>;
  advance(milliseconds: number): void;
  logLines(): Record<string, unknown>[];
  /** Changes the database from another connection, with all triggers dropped. */
  tamper(...statements: string[]): void;
}

/** Opens an empty trail. */
export async function openTestTrail({ checkpointRecords = 1000, checkpointSeconds = 60 } = {}): Promise<TestTrail> {
  const store = await openStoreDatabase();
  const log = await openLog({ file: join(store.folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
  const reported: HubEvent[] = [];
  let timeMs = Date.UTC(2026, 0, 1);
  let written = 0;
  const open = () =>
    createAudit({
      database: store.database,
      keyDirectory: store.folder,
      settings: { checkpointRecords, checkpointSeconds, auditMode: 'best-effort' },
      report: (event) => reported.push(event),
      metrics: createMetrics(),
      log,
      now: () => {
        timeMs += 1;
        return timeMs;
      },
    });
  const parts = open();
  const { auditStore, checkpointStore } = parts;
  const write = async () => {
    written += 1;
    const fields = { tool_name: `tool-${written}`, server_id: 'everything', latency_ms: written / 3 };
    const span = trace.getTracer('test').startSpan('call');
    await parts.trail.record({ event: { kind: 'tool_outcome', outcome: 'success', fields }, by: hubCaller, span });
  };
  const lines = async () => {
    const all: string[] = [];
    for await (const page of trailLines(parts.sources)) all.push(...page);
    return all;
  };
  return {
    store,
    auditStore,
    checkpointStore,
    parts,
    reopened: open,
    reported,
    write: async (count) => {
      await Promise.all(Array.from({ length: count }, write));
    },
    sign: () => parts.checkpointer.runNow(),
    lines,
    verify: async () => verifyTrail([await lines()], { publicKey: parts.verifyWith }),
    checkpoints: async () =>
      (await checkpointStore.list({ after: 0, limit: 1000 })).map(({ body }) => JSON.parse(body)),
    prune: (limit = 10_000) =>
      store.database.transaction((tx) => auditStore.prune(tx, { before: new Date(timeMs + 1).toISOString(), limit })),
    advance: (milliseconds) => {
      timeMs += milliseconds;
    },
    logLines: () => readLines(join(store.folder, 'hestia.log')),
    tamper: (...statements) => tamperWith(store.file, statements),
    [Symbol.asyncDispose]: async () => {
      await log.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Runs statements on a database file after dropping all triggers, as the owner of the file could. */
export function tamperWith(file: string, statements: readonly string[]): void {
  const connection = new DatabaseSync(file);
  const triggers = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) connection.exec(statement);
  connection.close();
}
