/** The names of spans and metrics (docs/reference.md), written out once more: dashboards and alert rules rely on each. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { securityEventSchema } from '../../src/shapes/event.ts';
import { toolErrorTypeSchema } from '../../src/shapes/tool.ts';
import { skillText } from '../support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import type { HubProcess } from '../support/hub/hub-process.ts';
import { supportServer } from '../support/servers/support-server.ts';

type Row = [name: string, type: 'sum' | 'gauge' | 'histogram', unit: string, labels: string[]];
const metricRows: Row[] = [
  ['mcp.server.operation.duration', 'histogram', 's', ['mcp.method.name', 'gen_ai.tool.name', 'error.type']],
  [
    'mcp.client.operation.duration',
    'histogram',
    's',
    ['mcp.method.name', 'hestia.server.id', 'gen_ai.tool.name', 'error.type'],
  ],
  ['hestia.skill.operation.duration', 'histogram', 's', ['hestia.skill.operation', 'error.type']],
  ['hestia.skills.active', 'sum', '', ['namespace']],
  ['hestia.tool.outcomes', 'sum', '', ['hestia.outcome', 'hestia.server.id', 'gen_ai.tool.name']],
  ['hestia.search.duration', 'histogram', 's', ['hestia.search.source']],
  ['hestia.security.events', 'sum', '', ['security_event']],
  ['hestia.scheduler.runs', 'sum', '', ['hestia.job.name', 'hestia.job.result']],
  ['hestia.scheduler.run.duration', 'histogram', 's', ['hestia.job.name']],
  ['hestia.scheduler.last_success.time', 'gauge', 's', ['hestia.job.name']],
  ['hestia.cleanup.deleted', 'sum', '', ['hestia.cleanup.kind']],
  ['hestia.server.calls', 'sum', '', ['hestia.server.id', 'error.type']],
  ['hestia.servers.connected', 'gauge', '', ['hestia.server.id']],
  ['hestia.servers.wanted', 'gauge', '', ['hestia.server.id']],
  ['hestia.audit.records', 'sum', '', []],
  ['hestia.audit.gap', 'gauge', '', []],
  ['hestia.audit.uncovered', 'gauge', '', []],
  ['hestia.projector.lag', 'gauge', 's', []],
  ['hestia.telemetry.dropped', 'sum', '', ['otel.signal']],
  ['hestia.telemetry.accepted', 'sum', '', ['otel.signal']],
  ['hestia.telemetry.exported', 'sum', '', ['otel.signal']],
  ['hestia.telemetry.queue.size', 'gauge', '', ['otel.signal']],
  ['hestia.telemetry.queue.capacity', 'gauge', '', ['otel.signal']],
  ['hestia.telemetry.label_overflow', 'sum', '', ['hestia.label.name']],
  ['hestia.calls.running', 'gauge', '', []],
  ['hestia.scheduler.running', 'gauge', '', []],
  ['hestia.scheduler.interval', 'gauge', 's', []],
  ['hestia.storage.failures', 'sum', '', ['error.type']],
  ['nodejs.eventloop.delay.p99', 'gauge', 's', []],
  ['nodejs.eventloop.utilization', 'gauge', '1', []],
  ['process.memory.usage', 'sum', 'By', []],
  ['process.cpu.time', 'sum', 's', []],
  ['process.uptime', 'gauge', 's', []],
];
const mcpBuckets = [
  0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];
const faulty = { faulty: supportServer('faulty-server.ts') };

describe('the first export of an unused hub', () => {
  let observed: ObservedHub;
  beforeAll(async () => {
    // Longer than the test, so that the only export is that of the shutdown.
    observed = await startObservedHub(faulty, { environment: { OTEL_METRIC_EXPORT_INTERVAL: '600000' } });
    expect(observed.receiver.requests().filter((request) => request.path === '/v1/metrics')).toEqual([]);
    observed.hub.child.kill('SIGTERM');
    expect(await observed.hub.exited).toBe(0);
  });
  afterAll(() => observed[Symbol.asyncDispose]());

  const series = (name: string, label: string) =>
    observed.receiver
      .metricPoints(name)
      .map((point) => [point.attributes[label], point.value])
      .toSorted();

  test('has every security event, all at zero except for the created key', () => {
    const expected = securityEventSchema.options.map((name) => [name, name === 'KEY_CREATED' ? 1 : 0]);
    expect(series('hestia.security.events', 'security_event')).toEqual(expected.toSorted());
  });

  test('has every outcome of each server, every kind of deletion, every signal and the gap at zero', () => {
    expect(series('hestia.tool.outcomes', 'hestia.outcome')).toEqual([
      ['abandoned', 0],
      ['error', 0],
      ['success', 0],
      ['timeout', 0],
    ]);
    const calls = [undefined, ...toolErrorTypeSchema.options].map((type) => [type, 0]);
    expect(series('hestia.server.calls', 'error.type')).toEqual(calls.toSorted());
    expect(series('hestia.cleanup.deleted', 'hestia.cleanup.kind')).toEqual([
      ['activations', 0],
      ['audit_records', 0],
      ['searches', 0],
      ['skill_versions', 0],
    ]);
    expect(series('hestia.telemetry.dropped', 'otel.signal')).toEqual([
      ['logs', 0],
      ['metrics', 0],
      ['traces', 0],
    ]);
    expect(observed.total('hestia.audit.gap')).toBe(0);
    expect(observed.receiver.metricPoints('hestia.audit.gap')).toHaveLength(1);
    expect(observed.receiver.metricPoints('hestia.skills.active')).toMatchObject([{ value: 0 }]);
  });

  test('has every job with every result', () => {
    const points = observed.receiver.metricPoints('hestia.scheduler.runs');
    const named = points.map(({ attributes }) => `${attributes['hestia.job.name']} ${attributes['hestia.job.result']}`);
    const jobs = ['cleanup', 'expiration', 'skill_sync', 'key_use', 'audit_verify'];
    const results = ['success', 'failure', 'skipped'];
    expect(named.toSorted()).toEqual(jobs.flatMap((job) => results.map((result) => `${job} ${result}`)).toSorted());
  });

  test('identifies its sender by the explicit resource attributes only', () => {
    const resources = [
      ...observed.receiver.metricPoints('hestia.audit.records'),
      ...observed.receiver.spans(),
      ...observed.receiver.logRecords(),
    ].map(({ resource }) => Object.keys(resource).toSorted().join(' '));
    expect(new Set(resources)).toEqual(new Set(['service.instance.id service.name service.namespace service.version']));
  });
});

describe('a hub that has used every feature', () => {
  let observed: ObservedHub;
  let skills: string;
  beforeAll(async () => {
    skills = await mkdtemp(join(tmpdir(), 'hestia-skills-'));
    observed = await startObservedHub(faulty, { file: { skills: { directories: [skills] } } });
    await useEverything(observed);
  });
  afterAll(async () => {
    await observed[Symbol.asyncDispose]();
    await rm(skills, { recursive: true });
  });

  test('has every metric of the reference, with its type, unit and buckets, and no other labels', async () => {
    for (const [name, type, unit, labels] of metricRows) {
      const points = await observed.receiver.waitFor(() => {
        const found = observed.receiver.metricPoints(name);
        const seen = new Set(['error.type', ...found.flatMap((point) => Object.keys(point.attributes))]);
        return found.length > 0 && labels.every((label) => seen.has(label)) ? found : undefined;
      });
      for (const point of points) {
        expect(point, name).toMatchObject({ type, unit });
        expect(labels, name).toEqual(expect.arrayContaining(Object.keys(point.attributes)));
        if (name.startsWith('mcp.')) expect(point.bounds).toEqual(mcpBuckets);
      }
    }
  });

  test.each([
    ['PUT /v1/skills/:name', 'SERVER'],
    ['POST /v1/tools/:server/:tool/call', 'SERVER'],
    ['POST /mcp', 'SERVER'],
    ['tools/call call_mcp_tool', 'SERVER'],
    ['tools/list', 'SERVER'],
    ['tools/call pid', 'CLIENT'],
    ['execute_tool skill_triage', 'INTERNAL'],
    ['skill.activate', 'INTERNAL'],
    ['skill.deactivate', 'INTERNAL'],
    ['skill.sync', 'INTERNAL'],
    ['tool.search', 'INTERNAL'],
    ['tool.rank', 'INTERNAL'],
    ['scheduler.cleanup', 'INTERNAL'],
  ])('has the span %s of kind %s', async (name, kind) => {
    expect(await observed.span(name)).toMatchObject({ kind });
  });

  test('names the skill, version, agent and event on the spans of a skill', async () => {
    const events = { 'skill.activate': 'SKILL_ACTIVATION_SUCCESS', 'skill.deactivate': 'SKILL_DEACTIVATION_SUCCESS' };
    for (const [name, event] of Object.entries(events)) {
      expect((await observed.span(name)).attributes).toMatchObject({
        security_event: event,
        'hestia.skill.name': 'triage',
        'hestia.skill.version': 1,
        'hestia.skill.id': expect.any(String),
        'hestia.skill.activation_id': expect.any(String),
        'gen_ai.agent.id': 'operator',
      });
      await observed.receiver.waitFor(() => observed.total('hestia.security.events', { security_event: event }) === 1);
    }
    expect(observed.total('hestia.skills.active')).toBe(0);
  });

  test('starts a separate trace for a cleanup, and counts it', async () => {
    const span = await observed.span('scheduler.cleanup');
    expect(span.parentSpanId).toBeUndefined();
    expect(span.attributes).toMatchObject({
      monitoring_event: 'SCHEDULER_CLEANUP_SUCCESS',
      'hestia.cleanup.deleted': 0,
    });
    const labels = { 'hestia.job.name': 'cleanup' };
    await observed.receiver.waitFor(
      () => observed.total('hestia.scheduler.runs', { ...labels, 'hestia.job.result': 'success' }) === 1,
    );
    const lastSuccess = observed.total('hestia.scheduler.last_success.time', labels);
    expect(Math.abs(lastSuccess - Date.now() / 1000)).toBeLessThan(60);
  });

  test('names the event on the log record too', async () => {
    for (const attribute of [
      { security_event: 'SKILL_ACTIVATION_SUCCESS' },
      { monitoring_event: 'SCHEDULER_CLEANUP_SUCCESS' },
    ]) {
      await observed.receiver.waitFor(() =>
        observed.receiver
          .logRecords()
          .some((record) => Object.entries(attribute).every(([key, value]) => record.attributes[key] === value)),
      );
    }
  });

  async function useEverything({ hub }: ObservedHub): Promise<void> {
    const ok = async (response: Promise<Response>) => expect((await response).ok).toBe(true);
    const markdown = { method: 'PUT', headers: { 'content-type': 'text/markdown' } };
    await ok(hub.fetch('/v1/skills/triage', { ...markdown, body: skillText('triage') }));
    await ok(hub.fetch('/v1/skills/triage/activate', { method: 'POST' }));
    await ok(hub.fetch('/v1/tools/search', { json: { query: 'triage' } }));
    await ok(hub.fetch('/v1/tools/hestia/skill_triage/call', { json: {} }));
    await ok(hub.fetch('/v1/tools/faulty/pid/call', { json: {} }));
    await ok(hub.fetch('/v1/skills/triage/deactivate', { method: 'POST' }));
    await ok(hub.fetch('/v1/scheduler/run', { method: 'POST' }));
    await listAndCall(hub);
    await mkdir(join(skills, 'watched'));
    await writeFile(join(skills, 'watched', 'SKILL.md'), skillText('watched'));
  }
});

async function listAndCall(hub: HubProcess): Promise<void> {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${hub.key()}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), { requestInit }));
  await client.listTools();
  await client.callTool({ name: 'call_mcp_tool', arguments: { server_id: 'faulty', tool_name: 'pid' } });
  await client.close();
}
