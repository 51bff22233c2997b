/**
 * Faults of what is kept: writes that fail, operations that get no record, a record that was altered, a cleanup that cannot
 * delete. Made from outside, on the database of a hub of the demo's own, by a trigger that refuses one kind of write.
 */
import { DatabaseSync } from 'node:sqlite';
import { demoSkillText } from '../demo/skill.ts';
import { callFaultTool } from './calls.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import type { FaultHub } from './hub.ts';
import { faultToolNames } from './server.ts';

/** The faults. */
export const faultsOfStorage: readonly Fault[] = [
  {
    name: 'storage-failing',
    alert: 'HestiaStorageFailing',
    place: 'own hub',
    does: 'publishes skills into a database that refuses them',
    make: failWrites,
  },
  {
    name: 'audit-gap',
    alert: 'HestiaAuditGap',
    place: 'own hub',
    does: 'calls a tool while the audit trail takes no records; only a new start sets the gap back',
    make: leaveGap,
  },
  {
    name: 'audit-chain-broken',
    alert: 'HestiaAuditChainBroken',
    place: 'own hub',
    does: 'alters a stored audit record, and lets the trail be verified',
    make: breakChain,
  },
  {
    name: 'cleanup-failed',
    alert: 'HestiaCleanupFailed',
    place: 'own hub',
    does: 'runs cleanups on a database that refuses to delete what is past its time',
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
  return withRefusal(owned, 'INSERT ON skill_versions', () => repeat(publish, context));
}

async function leaveGap(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  await using parts = new AsyncDisposableStack();
  // Undone last: the count of what is missing lives as long as the process.
  parts.use(
    undoing(async () => {
      await owned.stop();
      await owned.start();
    }),
  );
  const refused = await withRefusal(owned, 'INSERT ON audit_records', () =>
    repeat(() => callFaultTool(owned.hub, faultToolNames.fine), context),
  );
  parts.use(refused);
  const kept = parts.move();
  return kept;
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

/** Gives the hub something to delete, and lets its database refuse that for as long as `work` goes on. */
export async function refuseDeletions(owned: FaultHub, work: () => Promise<AsyncDisposable>): Promise<AsyncDisposable> {
  await callFaultTool(owned.hub, faultToolNames.fine);
  inDatabase(owned.databaseFile, (database) => database.exec('UPDATE tool_outcomes SET recorded_at = 0'));
  return withRefusal(owned, 'DELETE ON tool_outcomes', work);
}

/** Lets the database refuse a kind of write for as long as `work` goes on. */
async function withRefusal(
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

/** The trigger that keeps records from changing is no hindrance to whoever can write the file; it comes back at once. */
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
