/** Telemetry of the hub: one trace from the agent through the hub to the upstream, and signals that agree. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attributes, mcpDurationBounds, metricNames } from '../../src/telemetry/names.ts';
import { json } from '../support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import type { HubProcess } from '../support/hub/hub-process.ts';
import { supportServer } from '../support/servers/support-server.ts';
import type { OtlpReceiver } from '../support/telemetry/otlp-receiver.ts';

const clientTrace = 'a'.repeat(32);
const clientSpan = 'b'.repeat(16);

let observed: ObservedHub;
let receiver: OtlpReceiver;
let hub: HubProcess;
beforeAll(async () => {
  observed = await startObservedHub({ faulty: supportServer('faulty-server.ts') });
  ({ hub, receiver } = observed);
});
afterAll(() => observed[Symbol.asyncDispose]());

async function callOverMcp(args: Record<string, unknown>, { traceId, flags } = { traceId: clientTrace, flags: '01' }) {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${hub.key()}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), { requestInit }));
  const _meta = {
    traceparent: `00-${traceId}-${clientSpan}-${flags}`,
    tracestate: 'vendor=1',
    baggage: 'team=red',
  };
  const result = await client.callTool({ name: 'call_mcp_tool', arguments: { server_id: 'faulty', ...args }, _meta });
  await client.close();
  return result;
}

const outcomeRecords = async () => (await json(hub.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'))).items;

describe('one call by an MCP client with a trace', () => {
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
    await receiver.waitFor(() => observed.total(metricNames.toolOutcomes, labels) === 1);
  });
  const span = (name: string) => observed.span(name, clientTrace);

  test('is one trace: the span of the client, the MCP request, the call to the upstream with its record', async () => {
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
    expect(upstream.events).toMatchObject([
      { name: 'outcome.record', attributes: { [attributes.outcome]: 'success' } },
    ]);
    expect(upstreamMeta.traceparent).toBe(`00-${clientTrace}-${upstream.spanId}-01`);
    expect(upstreamMeta).toMatchObject({ tracestate: 'vendor=1', baggage: 'team=red' });
  });

  test('links the HTTP request that carried it', async () => {
    const server = await span('tools/call call_mcp_tool');
    const linked = server.links[0];
    const http = await receiver.waitFor(() => receiver.spans().find((found) => found.spanId === linked?.spanId));
    expect(http).toMatchObject({ kind: 'SERVER', name: 'POST /mcp', traceId: linked?.traceId });
  });

  test('is one log record, one log line and one audit record with the ids of its span', async () => {
    const { traceId, spanId } = await span('tools/call meta');
    const isOutcome = (event: unknown, id: unknown) => event === 'Tool outcome recorded' && id === traceId;
    // Logs and metrics are exported separately, so the metric may arrive before the log record.
    const records = await receiver.waitFor(() => {
      const found = receiver.logRecords().filter((record) => isOutcome(record.attributes.event, record.traceId));
      return found.length > 0 ? found : undefined;
    });
    expect(records).toMatchObject([
      { spanId, attributes: { tool_name: 'meta', server_id: 'faulty', outcome: 'success', agent_id: 'operator' } },
    ]);
    const lines = hub.logLines().filter((line) => isOutcome(line.event, line.trace_id));
    expect(lines).toMatchObject([
      { span_id: spanId, tool_name: 'meta', latency_ms: records[0]?.attributes.latency_ms },
    ]);
    const audit = (await outcomeRecords()).filter((record: { trace_id: string }) => record.trace_id === traceId);
    expect(audit).toMatchObject([{ span_id: spanId, fields: { tool_name: 'meta', latency_ms: lines[0]?.latency_ms } }]);
  });

  test('increments each counter by exactly one', async () => {
    // The MCP request is counted after its response, which may be one export later than the outcome.
    const mcpRequests = () =>
      observed.total(metricNames.mcpServerOperationDuration, { [attributes.genAiToolName]: 'call_mcp_tool' });
    await receiver.waitFor(() => mcpRequests() > 0);
    expect(mcpRequests()).toBe(1);
    expect(observed.total(metricNames.toolOutcomes, labels)).toBe(1);
    expect(observed.total(metricNames.mcpClientOperationDuration, { [attributes.genAiToolName]: 'meta' })).toBe(1);
    expect(observed.total(metricNames.serverCalls, { [attributes.serverId]: 'faulty' })).toBe(1);
    const histogram = receiver.metricPoints(metricNames.mcpClientOperationDuration)[0];
    expect(histogram).toMatchObject({ unit: 's', bounds: mcpDurationBounds });
  });

  test('leaves a counter of audit records that agrees with the trail', async () => {
    const { lastSeq } = await json(hub.fetch('/v1/audit/verify'));
    await receiver.waitFor(() => observed.total(metricNames.auditRecords) === lastSeq);
    expect(observed.total(metricNames.auditGap)).toBe(0);
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
      return found.length === 2 ? found : undefined;
    });
    const http = spans.find((span) => span.kind === 'SERVER');
    const upstream = spans.find((span) => span.kind === 'CLIENT');
    expect(http).toMatchObject({ name: 'POST /v1/tools/:server/:tool/call', parentSpanId: clientSpan });
    expect(upstream).toMatchObject({ name: 'tools/call pid', parentSpanId: http?.spanId });
    expect(upstream?.events).toMatchObject([{ name: 'outcome.record' }]);
  });
});

describe('a caller with the sampled flag off', () => {
  test('is traced nevertheless, over MCP', async () => {
    const traceId = 'd'.repeat(32);
    await callOverMcp({ tool_name: 'pid' }, { traceId, flags: '00' });
    for (const name of ['tools/call call_mcp_tool', 'tools/call pid']) {
      await observed.span(name, traceId);
    }
  });

  test('is traced nevertheless, over HTTP', async () => {
    const traceId = 'e'.repeat(32);
    await hub.fetch('/v1/skills', { headers: { traceparent: `00-${traceId}-${clientSpan}-00` } });
    expect(await observed.span('GET /v1/skills', traceId)).toMatchObject({ parentSpanId: clientSpan });
  });
});

describe('a server that an operator disconnects', () => {
  test('is neither connected nor wanted, so that no alert fires for it', async () => {
    const labels = { [attributes.serverId]: 'faulty' };
    const gauges = () =>
      [metricNames.serversConnected, metricNames.serversWanted].map((name) => observed.total(name, labels));
    await receiver.waitFor(() => gauges().join() === '1,1');
    expect((await hub.fetch('/v1/servers/faulty/disconnect', { method: 'POST' })).status).toBe(200);
    await receiver.waitFor(() => gauges().join() === '0,0');
  });
});
