/**
 * Faults of the database: failing writes, missing audit records, an altered record, a failing cleanup.
 * A trigger in the database of a hub for faults refuses one kind of write.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { demoSkillText } from '../demo/skill.ts';
import { callFaultTool } from './calls.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import type { FaultHub } from './hub.ts';
import { faultToolNames } from './server.ts';

/** The faults of the database. */
export const storageFaults: readonly Fault[] = [
  {
    name: 'storage-failing',
    alert: 'HestiaStorageFailing',
    place: 'own hub',
    does: 'publishes skills while the database refuses them',
    make: failWrites,
  },
  {
    name: 'audit-gap',
    alert: 'HestiaAuditGap',
    place: 'own hub',
    does: 'calls a tool while the audit trail accepts no records; only a restart resets the gap',
    make: omitRecords,
  },
  {
    name: 'projector-lag',
    alert: 'HestiaProjectorLag',
    place: 'own hub',
    does: 'calls a tool while another process locks the views of the audit trail',
    make: lockViews,
  },
  {
    name: 'audit-chain-broken',
    alert: 'HestiaAuditChainBroken',
    place: 'own hub',
    does: 'alters a stored audit record and verifies the trail',
    make: breakChain,
  },
  {
    name: 'cleanup-failed',
    alert: 'HestiaCleanupFailed',
    place: 'own hub',
    does: 'runs cleanups while the database refuses to delete expired outcomes',
    make: failCleanups,
  },
];

async function failWrites(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  let version = 0;
  const publish = () => {
    version += 1;
    const text = { type: 'text/markdown', content: demoSkillText('demo-refused', `Version ${version}.`) };
    return owned.hub.send('/v1/skills/demo-refused', { method: 'PUT', text });
  };
  return withRefusedWrites(owned, 'INSERT ON skill_versions', () => repeat(publish, context));
}

async function omitRecords(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  await using parts = new AsyncDisposableStack();
  // Disposed last: the count of missing records lasts as long as the process.
  parts.use(
    undoing(async () => {
      await owned.stop();
      await owned.start();
    }),
  );
  const refused = await withRefusedWrites(owned, 'INSERT ON audit_records', () =>
    repeat(() => callFaultTool(owned.hub, faultToolNames.fine), context),
  );
  parts.use(refused);
  return parts.move();
}

async function lockViews(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  await using parts = new AsyncDisposableStack();
  const views = new DatabaseSync(join(owned.folder, 'views.db'), { timeout: busyTimeoutMs });
  // Closing the file rolls back, which releases the lock.
  parts.use(undoing(() => views.close()));
  views.exec('BEGIN IMMEDIATE');
  parts.use(await repeat(() => callFaultTool(owned.hub, faultToolNames.fine), context));
  return parts.move();
}

async function breakChain(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  alterFirstRecord(owned.databaseFile, '"agent_id":"hestia"', '"agent_id":"nobody"');
  await using parts = new AsyncDisposableStack();
  parts.use(undoing(() => alterFirstRecord(owned.databaseFile, '"agent_id":"nobody"', '"agent_id":"hestia"')));
  parts.use(await repeat(() => owned.hub.send('/v1/audit/verify'), context));
  return parts.move();
}

async function failCleanups(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  return refuseDeletions(owned, () => repeat(() => owned.hub.send('/v1/scheduler/run', { method: 'POST' }), context));
}

/** Creates an expired outcome, and lets the database refuse to delete it until `work` is disposed. */
export async function refuseDeletions(owned: FaultHub, work: () => Promise<AsyncDisposable>): Promise<AsyncDisposable> {
  await callFaultTool(owned.hub, faultToolNames.fine);
  inDatabase(owned.databaseFile, (database) => database.exec('UPDATE tool_outcomes SET recorded_at = 0'));
  return withRefusedWrites(owned, 'DELETE ON tool_outcomes', work);
}

/** Lets the database refuse one kind of write until `work` is disposed. */
async function withRefusedWrites(
  { databaseFile }: FaultHub,
  write: 'INSERT ON skill_versions' | 'INSERT ON audit_records' | 'DELETE ON tool_outcomes',
  work: () => Promise<AsyncDisposable>,
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const trigger = `CREATE TRIGGER demo_refusal BEFORE ${write} BEGIN SELECT RAISE(ABORT, 'refused by hestia demo'); END`;
  inDatabase(databaseFile, (database) => database.exec(trigger));
  parts.use(undoing(() => inDatabase(databaseFile, (database) => database.exec('DROP TRIGGER demo_refusal'))));
  parts.use(await work());
  return parts.move();
}

/** Alters the first record. Drops the trigger that protects records and restores it in the same transaction. */
function alterFirstRecord(file: string, found: string, instead: string): void {
  inDatabase(file, (database) => {
    const name = 'audit_records_never_change';
    const trigger = database.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(name)?.sql;
    database.exec(`BEGIN IMMEDIATE; DROP TRIGGER ${name}`);
    const first = '(SELECT min(seq) FROM audit_records)';
    database.prepare(`UPDATE audit_records SET body = replace(body, ?, ?) WHERE seq = ${first}`).run(found, instead);
    database.exec(`${trigger}; COMMIT`);
  });
}

const busyTimeoutMs = 5000;

function inDatabase(file: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    work(database);
  } finally {
    database.close();
  }
}
