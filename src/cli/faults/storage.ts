/**
 * Faults of the storage: failing writes, missing audit records, an altered record, a failing cleanup.
 * A trigger in the database of a hub for faults refuses one kind of write. The journal refuses records while its file is moved.
 */
import { closeSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError, exitCodes } from '../command-error.ts';
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
    does: 'calls a tool while the file of the journal is moved away; only a restart resets the gap',
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
    does: 'runs cleanups while the database refuses to delete expired searches',
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
  // With records required, calls are refused and none is missing.
  const owned = await context.startHub({ file: { policy: { auditMode: 'best-effort' } } });
  await using parts = new AsyncDisposableStack();
  // Disposed last: the count of missing records lasts as long as the process.
  parts.use(
    undoing(async () => {
      await owned.stop();
      await owned.start();
    }),
  );
  const segment = openSegment(owned);
  renameSync(segment, `${segment}.moved`);
  parts.use(undoing(() => renameSync(`${segment}.moved`, segment)));
  parts.use(await repeat(() => callFaultTool(owned.hub, faultToolNames.fine), context));
  return parts.move();
}

async function breakChain(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  alterFirstRecord(owned, '"agent_id":"hestia"', '"agent_id":"nobody"');
  await using parts = new AsyncDisposableStack();
  parts.use(undoing(() => alterFirstRecord(owned, '"agent_id":"nobody"', '"agent_id":"hestia"')));
  parts.use(await repeat(() => owned.hub.send('/v1/audit/verify'), context));
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

async function failCleanups(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  return refuseDeletions(owned, () => repeat(() => owned.hub.send('/v1/scheduler/run', { method: 'POST' }), context));
}

/** Creates an expired search, and lets the database refuse to delete it until `work` is disposed. */
export async function refuseDeletions(owned: FaultHub, work: () => Promise<AsyncDisposable>): Promise<AsyncDisposable> {
  await owned.hub.send('/v1/tools/search', { json: { query: 'a tool' } });
  await untilExpired(owned);
  return withRefusedWrites(owned, 'DELETE ON searches', work);
}

/** Waits until the search is stored, which happens in the background, and makes it old. */
async function untilExpired({ databaseFile }: FaultHub): Promise<void> {
  for (let attempt = 0; attempt < storedAttemptsMax; attempt += 1) {
    const changes = inDatabase(databaseFile, (database) =>
      Number(database.prepare('UPDATE searches SET searched_at = 0').run().changes),
    );
    if (changes > 0) return;
    await delay(storedPollMs);
  }
  throw new CommandError(exitCodes.failed, 'the hub did not store a search');
}

const storedPollMs = 50;
const storedAttemptsMax = 200;

/** Lets the database refuse one kind of write until `work` is disposed. */
async function withRefusedWrites(
  { databaseFile }: FaultHub,
  write: 'INSERT ON skill_versions' | 'DELETE ON searches',
  work: () => Promise<AsyncDisposable>,
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const trigger = `CREATE TRIGGER demo_refusal BEFORE ${write} BEGIN SELECT RAISE(ABORT, 'refused by hestia demo'); END`;
  inDatabase(databaseFile, (database) => database.exec(trigger));
  parts.use(undoing(() => inDatabase(databaseFile, (database) => database.exec('DROP TRIGGER demo_refusal'))));
  parts.use(await work());
  return parts.move();
}

/** The file of the journal that records are appended to. */
function openSegment({ folder }: FaultHub): string {
  const segments = join(folder, 'journal', 'segments');
  const newest = readdirSync(segments).toSorted().at(-1);
  if (newest === undefined) throw new CommandError(exitCodes.failed, 'the hub has no journal');
  return join(segments, newest);
}

/** Alters the first record where it is stored, without changing its length. */
function alterFirstRecord(owned: FaultHub, found: string, instead: string): void {
  const segment = openSegment(owned);
  const at = readFileSync(segment).indexOf(found);
  const file = openSync(segment, 'r+');
  try {
    writeSync(file, instead, at);
  } finally {
    closeSync(file);
  }
}

const busyTimeoutMs = 5000;

function inDatabase<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    return work(database);
  } finally {
    database.close();
  }
}
