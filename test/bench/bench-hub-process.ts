/**
 * A hub process with another audit trail, to measure the cost of the trail.
 * The first argument selects it: `watched` is the product's, `unwatched` writes no record and no outcome, `inline` appends each
 * record in a write of its own, `filled` is the product's, to which as many records are added at its start as the second argument says.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { serve } from '@hono/node-server';
import { loadConfig, version } from '../../src/config.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { startTelemetry } from '../../src/telemetry/start.ts';
import { createAudit } from '../../src/wiring/audit.ts';
import { createHub } from '../../src/wiring/hub.ts';
import { fillTrail } from './many-records.ts';

type CreateAudit = typeof createAudit;

const unwatched: CreateAudit = async (deps) => {
  const parts = await createAudit(deps);
  const trail: typeof parts.trail = {
    ...parts.trail,
    commit: (_happenings, change) => deps.database.transaction(change),
    record: async () => true,
    operation: (_span, work) => work(),
  };
  return { ...parts, trail };
};

const inline: CreateAudit = async (deps) => {
  const parts = await createAudit(deps);
  let turn: Promise<unknown> = Promise.resolve();
  const record: typeof parts.trail.record = (audited) => {
    const own = turn.then(() => parts.trail.record(audited));
    turn = own;
    return own;
  };
  return { ...parts, trail: { ...parts.trail, record } };
};

const filled: CreateAudit = async (deps) => {
  const parts = await createAudit(deps);
  // The hub is ready meanwhile. A failure ends the process.
  void fillTrail(parts.journal, Number(process.argv[3]));
  return parts;
};

const trails: Record<string, CreateAudit> = { watched: createAudit, unwatched, inline, filled };

async function run(createAudit: CreateAudit | undefined): Promise<void> {
  if (createAudit === undefined) throw new Error(`the first argument is one of ${Object.keys(trails).join(', ')}`);
  const config = loadConfig({ environment: process.env, workingDirectory: process.cwd() });
  for (const folder of [config.dataDirectory, dirname(config.log.file)]) mkdirSync(folder, { recursive: true });
  const log = await openLog({ ...config.log, standardOutput: 'ndjson' });
  const telemetry = await startTelemetry({ configuration: config.telemetry, log });
  const hub = await createHub({ config, version, log, telemetry, createAudit });
  await hub.access.createFirst((secret) => writeFileSync(config.operatorKeyFile, secret));
  serve({ fetch: hub.fetch, hostname: config.host, port: config.port });
  await hub.start();
}

await run(trails[process.argv[2] ?? '']);
