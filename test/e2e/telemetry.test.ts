/** What the hub sends to a collector: one trace from the agent through the hub to the upstream, and signals that agree. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { securityEventSchema } from '../../src/shapes/event.ts';
import { attributes, mcpDurationBounds, metricNames } from '../../src/telemetry/names.ts';
import { json, skillText } from '../support/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub-process.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { supportServer } from '../support/upstream-support.ts';

const quick = {
  OTEL_SDK_DISABLED: 'false',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_BLRP_SCHEDULE_DELAY: '50',
  OTEL_METRIC_EXPORT_INTERVAL: '200',
};
const clientTrace = 'a'.repeat(32);
const clientSpan = 'b'.repeat(16);
const canary = 'canary-5f2d9c';

let receiver: OtlpReceiver;
let hub: HubProcess;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  hub = await startHubProcess({
    file: { mcpServers: { faulty: supportServer('faulty-server.ts') } },
    environment: { ...quick, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  });
  await hub.ready();
  await untilServersConnected(hub, 'faulty');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await receiver.close();
});

async function callOverMcp(args: Record<string, unknown>, flags = '01') {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${hub.key()}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), { requestInit }));
  const _meta = {
    traceparent: `00-${clientTrace}-${clientSpan}-${flags}`,
    tracestate: 'vendor=1',
    baggage: 'team=red',
  };
  const result = await client.callTool({ name: 'call_mcp_tool', arguments: { server_id: 'faulty', ...args }, _meta });
  await client.close();
  return result;
}

const total = (name: string, labels: Record<string, unknown> = {}) => receiver.metricTotal(name, labels) ?? 0;
const outcomeRecords = async () => (await json(hub.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'))).items;

describe('one call by an MCP client that has a trace', () => {
  const labels = {
    [attributes.serverId]: 'faulty',
    [attributes.genAiToolName]: 'meta',
    [attributes.outcome]: 'success',
  };
  let upstreamMeta: Record<string, string>;
  beforeAll(async () => {
    const { content } = await callOverMcp({ tool_name: 'meta' });
    const [block] = content;
    upstreamMeta = JSON.parse(block?.type === 'text' ? block.text : '');
    await receiver.waitFor(() => total(metricNames.toolOutcomes, labels) === 1);
  });
  const span = (name: string) =>
    receiver.waitFor(() => receiver.spans().find((found) => found.name === name && found.traceId === clientTrace));

  test('is one trace: the client’s span, the MCP request, the call to the upstream, the record', async () => {
    const server = await span('tools/call call_mcp_tool');
    expect(server).toMatchObject({ kind: 'SERVER', parentSpanId: clientSpan });
    const upstream = await span('tools/call meta');
    expect(upstream).toMatchObject({ kind: 'CLIENT', parentSpanId: server.spanId });
    expect(upstream.attributes).toMatchObject({
      [attributes.serverId]: 'faulty',
      [attributes.genAiToolName]: 'meta',
      [attributes.outcome]: 'success',
      [attributes.genAiAgentId]: 'operator',
    });
    expect(await span('outcome.record')).toMatchObject({ kind: 'INTERNAL', parentSpanId: upstream.spanId });
    expect(upstreamMeta.traceparent).toBe(`00-${clientTrace}-${upstream.spanId}-01`);
    expect(upstreamMeta).toMatchObject({ tracestate: 'vendor=1', baggage: 'team=red' });
  });

  test('links the HTTP request it came in', async () => {
    const server = await span('tools/call call_mcp_tool');
    const linked = server.links[0];
    const http = await receiver.waitFor(() => receiver.spans().find((found) => found.spanId === linked?.spanId));
    expect(http).toMatchObject({ kind: 'SERVER', name: 'POST /mcp', traceId: linked?.traceId });
  });

  test('is one log record, one log line and one audit record with the ids of its span', async () => {
    const { traceId, spanId } = await span('tools/call meta');
    const records = receiver
      .logRecords()
      .filter((record) => record.body === 'Tool outcome recorded' && record.traceId === traceId);
    expect(records).toMatchObject([
      { spanId, attributes: { tool_name: 'meta', server_id: 'faulty', outcome: 'success', agent_id: 'operator' } },
    ]);
    const lines = hub
      .logLines()
      .filter((line) => line.message === 'Tool outcome recorded' && line.trace_id === traceId);
    expect(lines).toMatchObject([
      { span_id: spanId, tool_name: 'meta', latency_ms: records[0]?.attributes.latency_ms },
    ]);
    const audit = (await outcomeRecords()).filter((record: { trace_id: string }) => record.trace_id === traceId);
    expect(audit).toMatchObject([{ span_id: spanId, fields: { tool_name: 'meta', latency_ms: lines[0]?.latency_ms } }]);
  });

  test('moves each counter by exactly one', async () => {
    expect(total(metricNames.toolOutcomes, labels)).toBe(1);
    expect(total(metricNames.mcpClientOperationDuration, { [attributes.genAiToolName]: 'meta' })).toBe(1);
    expect(total(metricNames.mcpServerOperationDuration, { [attributes.genAiToolName]: 'call_mcp_tool' })).toBe(1);
    const histogram = receiver.metricPoints(metricNames.mcpClientOperationDuration)[0];
    expect(histogram).toMatchObject({ unit: 's', bounds: mcpDurationBounds });
  });

  test('is followed by a counter of audit records that agrees with the trail', async () => {
    const { lastSeq } = await json(hub.fetch('/v1/audit/verify'));
    await receiver.waitFor(() => total(metricNames.auditRecords) === lastSeq);
    expect(total(metricNames.auditGap)).toBe(0);
  });
});

describe('the same call over HTTP', () => {
  test('has the same inner spans', async () => {
    await hub.fetch('/v1/tools/faulty/pid/call', {
      json: {},
      headers: { traceparent: `00-${'c'.repeat(32)}-${clientSpan}-01` },
    });
    const spans = await receiver.waitFor(() => {
      const found = receiver.spans().filter((span) => span.traceId === 'c'.repeat(32));
      return found.length === 3 ? found : undefined;
    });
    const http = spans.find((span) => span.kind === 'SERVER');
    const upstream = spans.find((span) => span.kind === 'CLIENT');
    expect(http).toMatchObject({ name: 'POST /v1/tools/:server/:tool/call', parentSpanId: clientSpan });
    expect(upstream).toMatchObject({ name: 'tools/call pid', parentSpanId: http?.spanId });
    expect(spans.find((span) => span.kind === 'INTERNAL')).toMatchObject({
      name: 'outcome.record',
      parentSpanId: upstream?.spanId,
    });
  });
});

describe('a client that asks not to be sampled', () => {
  test('is seen all the same', async () => {
    await callOverMcp({ tool_name: 'echo_unknown' }, '00').catch(() => undefined);
    await callOverMcp({ tool_name: 'pid' }, '00');
    await receiver.waitFor(() =>
      receiver.spans().some((span) => span.name === 'tools/call pid' && span.traceId === clientTrace),
    );
  });
});

describe('the first export', () => {
  test('has every security event, at zero until it happens, and only the explicit resource attributes', () => {
    const points = receiver.metricPoints(metricNames.securityEvents);
    expect(points.map((point) => point.attributes[attributes.securityEvent]).toSorted()).toEqual(
      securityEventSchema.options.toSorted(),
    );
    expect(total(metricNames.securityEvents, { [attributes.securityEvent]: 'AUDIT_CHAIN_BROKEN' })).toBe(0);
    for (const name of Object.values(metricNames)) {
      const isHistogram = /duration$/.test(name);
      if (!isHistogram && name !== metricNames.schedulerLastSuccessTime)
        expect(receiver.metricPoints(name), name).not.toEqual([]);
    }
    expect(Object.keys(points[0]?.resource ?? {}).toSorted()).toEqual([
      'service.instance.id',
      'service.name',
      'service.namespace',
      'service.version',
    ]);
  });
});

describe('a skill and the scheduler', () => {
  test('leave the spans, events and metrics of the contract', async () => {
    await hub.fetch('/v1/skills/triage', {
      method: 'PUT',
      body: skillText('triage'),
      headers: { 'content-type': 'text/markdown' },
    });
    await hub.fetch('/v1/skills/triage/activate', { method: 'POST' });
    await hub.fetch('/v1/tools/search', { json: { query: 'triage' } });
    await hub.fetch('/v1/tools/hestia/skill_triage/call', { json: {} });
    await hub.fetch('/v1/skills/triage/deactivate', { method: 'POST' });
    await hub.fetch('/v1/scheduler/run', { method: 'POST' });
    const names = [
      'skill.activate',
      'skill.deactivate',
      'tool.search',
      'tool.rank',
      'execute_tool skill_triage',
      'scheduler.cleanup',
    ];
    await receiver.waitFor(() => names.every((name) => receiver.spans().some((span) => span.name === name)));
    const find = (name: string) => receiver.spans().find((span) => span.name === name);
    expect(find('skill.activate')?.attributes).toMatchObject({
      [attributes.securityEvent]: 'SKILL_ACTIVATION_SUCCESS',
      [attributes.skillName]: 'triage',
      [attributes.skillVersion]: 1,
      [attributes.genAiAgentId]: 'operator',
    });
    expect(find('scheduler.cleanup')).toMatchObject({ parentSpanId: undefined });
    expect(find('scheduler.cleanup')?.attributes).toMatchObject({
      [attributes.monitoringEvent]: 'SCHEDULER_CLEANUP_SUCCESS',
      [attributes.cleanupDeleted]: 0,
    });
    await receiver.waitFor(
      () =>
        total(metricNames.schedulerRuns, { [attributes.jobName]: 'cleanup', [attributes.jobResult]: 'success' }) === 1,
    );
    expect(total(metricNames.securityEvents, { [attributes.securityEvent]: 'SKILL_DEACTIVATION_SUCCESS' })).toBe(1);
    expect(total(metricNames.skillOperationDuration, { [attributes.skillOperation]: 'activate' })).toBe(1);
    expect(total(metricNames.skillsActive)).toBe(0);
    expect(total(metricNames.searchDuration, { [attributes.searchSource]: 'all' })).toBeGreaterThan(0);
    expect(total(metricNames.schedulerLastSuccessTime, { [attributes.jobName]: 'cleanup' })).toBeGreaterThan(
      1_700_000_000,
    );
  });
});

describe('a secret in arguments, results, headers, query, skill and upstream errors', () => {
  test('is on no signal', async () => {
    await hub.fetch(`/v1/tools/faulty/meta/call?token=${canary}`, {
      json: { arguments: { password: canary } },
      headers: { 'x-api-key': canary, cookie: canary },
    });
    await hub.fetch('/v1/tools/faulty/environment/call', { json: { arguments: { text: canary } } });
    await hub.fetch('/v1/tools/faulty/rpc_error/call', { json: {} });
    await hub.fetch('/v1/tools/faulty/bad_shape/call', { json: {} });
    await hub.fetch('/v1/skills/hidden', {
      method: 'PUT',
      body: skillText('hidden', 'Hides.', canary),
      headers: { 'content-type': 'text/markdown' },
    });
    await hub.fetch('/v1/skills/hidden/activate', { method: 'POST' });
    await hub.fetch('/v1/tools/hestia/skill_hidden/call', { json: { arguments: { arguments: canary } } });
    await hub.fetch('/v1/tools/search', { json: { query: canary } });
    await hub.fetch('/v1/skills', { headers: { authorization: `Bearer ${canary}` } });
    await receiver.waitFor(() => total(metricNames.toolOutcomes, { [attributes.genAiToolName]: 'skill_hidden' }) === 1);
    await receiver.waitFor(() => receiver.spans().filter((span) => span.name.endsWith('skill_hidden')).length === 1);
    const asText = (value: unknown) =>
      JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
    const everything = [
      receiver.spans(),
      receiver.logRecords(),
      Object.values(metricNames).map((name) => receiver.metricPoints(name)),
      hub.logLines(),
      await (await hub.fetch('/v1/audit/export')).text(),
      hub.stdout(),
    ].map(asText);
    for (const text of everything) {
      expect(text.length).toBeGreaterThan(100);
      for (const secret of [canary, 'secret-token', hub.key()]) expect(text).not.toContain(secret);
    }
  });
});

describe('a record that cannot be written', () => {
  test('is an exception on a log record, in the trace of its call, and the gap shows it', async () => {
    const locker = new DatabaseSync(join(hub.folder, 'data', 'hestia.db'));
    locker.exec('BEGIN IMMEDIATE');
    const answer = await json(hub.fetch('/v1/tools/faulty/pid/call', { json: {} }));
    locker.exec('ROLLBACK');
    locker.close();
    expect(answer.outcome).toBe('success');
    const record = await receiver.waitFor(() =>
      receiver.logRecords().find((found) => found.body === 'An event could not be put on record'),
    );
    expect(record).toMatchObject({
      severityText: 'ERROR',
      attributes: {
        'exception.type': 'STORAGE_FAILED',
        'exception.message': expect.stringContaining('the database is locked by another process'),
        'exception.stacktrace': expect.stringContaining('Error'),
      },
    });
    await receiver.waitFor(() => receiver.spans().some((span) => span.spanId === record.spanId));
    await receiver.waitFor(() => total(metricNames.auditGap) === 1);
  });
});

describe('with HESTIA_CAPTURE_CONTENT=on and http/json', () => {
  test('arguments and results are on the span, secrets among them redacted', async () => {
    await using other = await startOtlpReceiver();
    await using capturing = await startHubProcess({
      file: { mcpServers: { faulty: supportServer('faulty-server.ts') } },
      environment: {
        ...quick,
        OTEL_EXPORTER_OTLP_ENDPOINT: other.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        HESTIA_CAPTURE_CONTENT: 'on',
      },
    });
    await capturing.ready();
    await untilServersConnected(capturing, 'faulty');
    await capturing.fetch('/v1/tools/faulty/pid/call', {
      json: { arguments: { city: 'Chicago', password: canary, note: `Bearer ${canary}` } },
    });
    const span = await other.waitFor(() => other.spans().find((found) => found.name === 'tools/call pid'));
    expect(span.attributes[attributes.genAiToolArguments]).toBe(
      '{"city":"Chicago","password":"[redacted]","note":"[redacted]"}',
    );
    expect(span.attributes[attributes.genAiToolResult]).toContain('"isError":false');
    expect(other.requests().every((request) => request.contentType === 'application/json')).toBe(true);
  });
});
