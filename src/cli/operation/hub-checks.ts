/** Checks of the running hub: stores, servers, clock, scheduler, trail, quarantine. */
import { auditRecordSchema } from '../../shapes/audit.ts';
import { hubStatusViewSchema } from '../../shapes/hub/status.ts';
import { pageSchema } from '../../shapes/page.ts';
import { quarantineViewSchema } from '../../shapes/quarantine.ts';
import { serverListViewSchema } from '../../shapes/server.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import type { HubClient } from '../hub-client.ts';
import { durationText } from '../terminal/relative-time.ts';
import { type Finding, ok } from './diagnosis.ts';
import { readinessViewSchema } from './status-command.ts';

/** The largest difference of clocks that is not reported, in milliseconds. */
const clockMsMax = 5000;

/** Checks the hub that answers at an address. Never throws for what a hub may answer. */
export async function hubFindings(hub: HubClient, signal: AbortSignal): Promise<Finding[]> {
  const readiness = await readReadiness(hub, signal);
  if ('check' in readiness) return [readiness];
  const checks = [
    () => statusFindings(hub, signal),
    () => serverFindings(hub, signal),
    () => clockFindings(hub, signal),
    () => quarantineFindings(hub, signal),
  ];
  const found: Finding[] = [...readiness.findings];
  for (const check of checks) {
    try {
      found.push(...(await check()));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      found.push({ check: 'key', state: 'failed', found: error.message, mend: keyMend });
      break;
    }
  }
  return found;
}

const keyMend = 'name the key with --key-file; a lost one is replaced with: hestia keys reset-operator';

async function readReadiness(hub: HubClient, signal: AbortSignal): Promise<Finding | { findings: Finding[] }> {
  try {
    const { body } = await hub.send('/readyz', { signal });
    const parsed = readinessViewSchema.safeParse(body);
    if (!parsed.success) {
      const found = `${hub.url} does not answer as a hub does`;
      return { check: 'hub', state: 'failed', found, mend: 'name the hub with --url, or set HESTIA_PORT' };
    }
    return { findings: storeFindings(hub.url, parsed.data) };
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode !== exitCodes.unreachable) throw error;
    return { check: 'hub', state: 'failed', found: `no hub answers at ${hub.url}`, mend: 'hestia serve' };
  }
}

/** What a dependency that is down needs. */
const mends = new Map([
  ['database', 'check the disk and the permissions of the data directory'],
  ['journal', 'check the disk and the permissions of the journal in the data directory'],
  ['memory', 'set limits.memoryBytesMax higher, or give the process more memory'],
  ['vectors', 'check HESTIA_CHROMA_URL; search works by words meanwhile'],
  ['embeddings', 'check HESTIA_EMBEDDINGS_URL; search works by words meanwhile'],
]);

function storeFindings(url: string, readiness: ReturnType<typeof readinessViewSchema.parse>): Finding[] {
  const isReady = readiness.status === 'ready';
  const down = Object.entries(readiness.dependencies).filter(
    ([name, { state }]) => !name.startsWith('server') && state !== 'up',
  );
  return [
    isReady
      ? ok('hub', `${url} is ready${readiness.message === undefined ? '' : `; ${readiness.message}`}`)
      : { check: 'hub', state: 'failed', found: `${url} is ${readiness.status}`, mend: 'hestia status' },
    ...down.map(
      ([name, { state, reason }]): Finding => ({
        check: name,
        state: isReady ? 'warning' : 'failed',
        found: `is ${state}${reason === undefined ? '' : `: ${reason}`}`,
        mend: mends.get(name) ?? 'read the log of the hub',
      }),
    ),
  ];
}

async function statusFindings(hub: HubClient, signal: AbortSignal): Promise<Finding[]> {
  const { auditGap, scheduler } = await hub.request('/v1/status', hubStatusViewSchema, { signal });
  return [
    auditGap === 0
      ? ok('trail', 'every operation is recorded')
      : {
          check: 'trail',
          state: 'failed',
          found: `${auditGap} operations are not recorded`,
          mend: 'read the log of the hub for "could not be recorded"',
        },
    scheduler.isRunning
      ? ok('scheduler', `runs every ${scheduler.intervalHours} h`)
      : { check: 'scheduler', state: 'warning', found: 'does not run', mend: 'set scheduler.enabled to true' },
  ];
}

async function serverFindings(hub: HubClient, signal: AbortSignal): Promise<Finding[]> {
  const { items } = await hub.request('/v1/servers', serverListViewSchema, { signal });
  return items
    .filter(({ state }) => state !== 'misconfigured')
    .map(({ serverId, state, toolsCount, errorType, reason, quarantined }): Finding => {
      const check = `server ${serverId}`;
      if (state === 'connected') return ok(check, `is connected, with ${toolsCount} tools`);
      if (state === 'connecting') return { check, state: 'warning', found: 'is connecting', mend: 'hestia status' };
      if (state === 'disconnected')
        return { check, state: 'warning', found: 'is disconnected', mend: `hestia servers enable ${serverId}` };
      const why = reason ?? errorType ?? 'unknown reason';
      const isLogin = errorType === 'login_required';
      return {
        check,
        state: 'failed',
        found: `is not connected: ${why}${quarantined ? '; it died too often' : ''}`,
        mend: isLogin ? `hestia servers login ${serverId}` : `hestia servers show ${serverId}`,
      };
    });
}

/** Compares the clock of this machine with that of the hub, and with the newest record, which cannot be later. */
async function clockFindings(hub: HubClient, signal: AbortSignal): Promise<Finding[]> {
  const page = pageSchema(auditRecordSchema.loose());
  const { items } = await hub.request('/v1/audit/events?order=newest&limit=1', page, { signal });
  const newest = items[0]?.time;
  const aheadMs = newest === undefined ? 0 : Date.parse(newest) - Date.now();
  if (aheadMs <= clockMsMax) return [ok('clock', 'no record is later than now')];
  const found = `the newest record is ${durationText(aheadMs)} later than the clock of this machine`;
  return [{ check: 'clock', state: 'failed', found, mend: 'timedatectl set-ntp true' }];
}

async function quarantineFindings(hub: HubClient, signal: AbortSignal): Promise<Finding[]> {
  const held = await hub.list('/v1/quarantine?state=held', quarantineViewSchema, signal);
  if (held.length === 0) return [ok('quarantine', 'nothing waits for a decision')];
  const found = `${held.length} skills or tools wait for a decision`;
  return [{ check: 'quarantine', state: 'warning', found, mend: 'hestia quarantine list --state held' }];
}
