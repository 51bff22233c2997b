/** The cost of growth: calls, searches and the trail with more tools, agents, bytes and records. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trustedKey } from '../../../src/domain/audit/verification/key-ring.ts';
import { verifyTrail } from '../../../src/domain/audit/verification/trail-check.ts';
import { trailLines } from '../../../src/domain/audit/verification/trail-lines.ts';
import { signCheckpoint } from '../../../src/journal/checkpoint.ts';
import { type Journal, openJournal } from '../../../src/journal/journal.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import { noteSigner } from '../../../src/journal/signed-note.ts';
import type { AuditEntry } from '../../../src/shapes/audit.ts';
import { type AuditViews, createAuditViews } from '../../../src/stores/views/audit-views.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import type { HubProcess } from '../../support/hub/hub-process.ts';
import { echoOverStdio, hubLoader, isEcho, message, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, figureFinding } from '../findings.ts';
import { type HttpLoader, httpLoader } from '../load.ts';
import { manyToolsQuery, manyToolsServers } from '../many-tools.ts';
import { quantile, total } from '../paired.ts';
import type { Suite, SuiteContext } from '../suite.ts';

export const suite: Suite = {
  name: 'growth',
  about: 'the cost of more tools, agents, bytes and records',
  async run(context) {
    return [
      ...(await growingTools(context)),
      ...(await growingAgentsAndAnswers(context)),
      ...(await growingTrail(context)),
    ];
  },
};

const shown = (size: number) => size.toLocaleString('en');

/** The median latencies of loads of different sizes, measured together. */
async function medians(
  { paired }: SuiteContext,
  series: string,
  loaders: readonly { size: number; loader: HttpLoader }[],
): Promise<Finding[]> {
  const subjects = loaders.map(({ size, loader }) => loader.subject(`${series}: ${shown(size)}`, 1));
  const run = await paired(series, subjects, { noiseMeasure: 'p50', warmUp: 'short' });
  return loaders.map(({ size }, at) => {
    const { p50Ms, cpuPerCallUs } = total(run, subjects[at]?.name ?? '');
    const finding = figureFinding(`${series}: ${shown(size)}`, 'ms', p50Ms, `${Math.round(cpuPerCallUs)} us of CPU`);
    return { ...finding, growth: { series, size } };
  });
}

async function growingTools(context: SuiteContext): Promise<Finding[]> {
  const sizes = context.isQuick ? [10, 100] : [10, 100, 1000, 10_000];
  await using owned = new AsyncDisposableStack();
  const tools = owned.use(await startBenchScript('processes/many-tools-server.ts'));
  const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
  const hubs: { size: number; hub: HubProcess }[] = [];
  for (const size of sizes) {
    const servers = { echo: echoOverStdio, ...manyToolsServers(tools.url, size, Math.min(size, 1000)) };
    hubs.push({ size, hub: owned.use(await startBenchHub({ servers, otlpUrl: sink.url })) });
  }
  const calls = hubs.map(({ size, hub }) => ({ size, loader: owned.use(hubLoader(hub, 'echo')) }));
  const searches = hubs.map(({ size, hub }) => ({ size, loader: owned.use(searchLoader(hub, size)) }));
  return [
    ...(await medians(context, 'a call, by tools known', calls)),
    ...(await medians(context, 'a search, by tools known', searches)),
  ];
}

function searchLoader(hub: HubProcess, size: number): HttpLoader {
  return httpLoader({
    url: hub.url,
    path: '/v1/tools/search',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${hub.key()}` },
    body: (index) => JSON.stringify({ query: manyToolsQuery((index * 37) % size), limit: 10 }),
    isAnswer: (body) => body.includes('"results":[{'),
    pid: hub.child.pid ?? 0,
  });
}

async function growingAgentsAndAnswers(context: SuiteContext): Promise<Finding[]> {
  await using owned = new AsyncDisposableStack();
  const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
  const hub = owned.use(await startBenchHub({ servers: { echo: echoOverStdio }, otlpUrl: sink.url }));
  const keys: string[] = [];
  for (let agent = 0; agent < 100; agent += 1) {
    const response = await hub.fetch('/v1/keys', { json: { agentId: `agent-${agent}`, role: 'agent' } });
    keys.push(JSON.parse(await response.text()).key);
  }
  const load = (keysCount: number, args: object, isAnswer: (body: string) => boolean) =>
    owned.use(
      httpLoader({
        url: hub.url,
        path: '/v1/tools/echo/echo/call',
        headers: (index) => ({
          'content-type': 'application/json',
          authorization: `Bearer ${keys[index % keysCount]}`,
        }),
        body: () => JSON.stringify({ arguments: args }),
        isAnswer,
        pid: hub.child.pid ?? 0,
      }),
    );
  const agents = [1, 10, 100].map((size) => ({ size, loader: load(size, { message }, isEcho) }));
  const answers = (context.isQuick ? [1024, 10_240] : [1024, 10_240, 102_400, 1_048_576]).map((size) => ({
    size,
    loader: load(1, { message: '', bytes: size }, (body) => body.length > size),
  }));
  return [
    ...(await medians(context, 'a call, by agents', agents)),
    ...(await medians(context, 'a call, by bytes of its result', answers)),
  ];
}

/** The number of records in one group while the trail is filled. */
const groupSize = 100;
const pageSize = 500;
const origin = 'hestia/bench';

async function growingTrail({ isQuick, reportProgress }: SuiteContext): Promise<Finding[]> {
  await using owned = new AsyncDisposableStack();
  const folder = owned.adopt(await mkdtemp(join(tmpdir(), 'hestia-bench-')), (path) => rm(path, { recursive: true }));
  const directory = join(folder, 'journal');
  const journal = owned.use(await openJournal({ directory, durability: 'normal', now: Date.now }));
  const log = await openLog({ file: join(folder, 'hestia.log'), level: 'error', standardOutput: 'none' });
  const views = owned.use(
    createAuditViews({ file: join(folder, 'views.db'), journalDirectory: directory, journal, log }),
  );
  const findings: Finding[] = [];
  for (const size of isQuick ? [1000, 10_000] : [10_000, 100_000, 1_000_000]) {
    reportProgress(`the trail grows to ${shown(size)} records`);
    await fill(journal, size - journal.size());
    const found = (series: string, unit: Finding['unit'], value: number) =>
      findings.push({ ...figureFinding(`${series}: ${shown(size)}`, unit, value), growth: { series, size } });
    const startedAt = performance.now();
    await fill(journal, 1000);
    found('a record appended, by records kept', 'us', performance.now() - startedAt);
    await views.waitFor(journal.size(), { timeoutMs: Number.POSITIVE_INFINITY });
    found('records of one trace found, by records kept', 'ms', await listing(views));
    found('a record verified, by records kept', 'us', (await verifying(journal)) * 1000);
  }
  return findings;
}

async function fill(journal: Journal, count: number): Promise<void> {
  for (let done = 0; done < count; done += groupSize) {
    const group = Array.from({ length: Math.min(groupSize, count - done) }, entry);
    await Promise.all(group.map((each) => journal.append((seq) => recordLine(each, seq))));
  }
}

function entry(): AuditEntry {
  const fields = { tool_name: 'echo', server_id: 'echo', outcome: 'success', latency_ms: 1.25, agent_id: 'agent' };
  const ids = { trace_id: randomBytes(16).toString('hex'), span_id: randomBytes(8).toString('hex') };
  const by = { agent_id: 'agent', namespace: 'default', key_id: '0123456789abcdef' };
  const event = { kind: 'tool_outcome', event: 'TOOL_OUTCOME', target: 'tool:echo/echo', outcome: 'success' } as const;
  return { writer_id: 'writer_bench', time: new Date().toISOString(), ...event, ...by, ...ids, fields };
}

async function listing(views: AuditViews): Promise<number> {
  const [some] = await views.list({ after: 500, limit: 1 });
  const times: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const startedAt = performance.now();
    const found = await views.list({ after: 0, limit: pageSize, traceId: some?.trace_id });
    if (found.length !== 1) throw new Error(`one record has this trace, ${found.length} were found`);
    times.push(performance.now() - startedAt);
  }
  return quantile(times, 0.5);
}

/** The milliseconds to read and verify a record, averaged over all. */
async function verifying(journal: Journal): Promise<number> {
  const signer = noteSigner(origin, generateKeyPairSync('ed25519').privateKey);
  const size = journal.size();
  const note = signCheckpoint({ origin, size, root: journal.tree.root() }, [signer]);
  const vkeys = () => [signer.vkey];
  const checkpoints = async function* () {
    yield { size, time: new Date().toISOString(), note };
  };
  const startedAt = performance.now();
  const lines = trailLines({ journal, checkpoints, origin, writerId: 'writer_bench', vkeys }, size);
  const verdict = await verifyTrail(lines, { keys: vkeys().map(trustedKey) });
  if (!verdict.intact) throw new Error(verdict.firstBad?.reason);
  return (performance.now() - startedAt) / size;
}
