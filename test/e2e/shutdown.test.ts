import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { isRunning } from '../support/is-running.ts';
import { realServer } from '../support/servers/real-server.ts';
import { supportServer } from '../support/servers/support-server.ts';
import { temporaryFile } from '../support/servers/upstream-connection.ts';
import { startOtlpReceiver } from '../support/telemetry/otlp-receiver.ts';

const tenSeconds = 10_000;
const file = {
  mcpServers: { everything: realServer('everything', ['stdio']), faulty: supportServer('faulty-server.ts') },
};

async function started(environment: Record<string, string> = {}): Promise<HubProcess> {
  const hub = await startHubProcess({ file, environment });
  await hub.ready();
  await untilServersConnected(hub, 'everything', 'faulty');
  return hub;
}

const slow = (hub: HubProcess, seconds: number) =>
  hub.fetch('/v1/tools/everything/trigger-long-running-operation/call', {
    json: { arguments: { duration: seconds, steps: 1 } },
  });

const callsRunning = async (hub: HubProcess) => {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_mcp_hub_status', arguments: {} } };
  const text = await (
    await hub.fetch('/mcp', { json: body, headers: { accept: 'application/json, text/event-stream' } })
  ).text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text).result.structuredContent.calls_running;
};

/** The audit records of an event, read by a new process with the data of the one that has exited. */
async function recorded(folder: string, event: string) {
  await using again = await startHubProcess({ folder, file: {} });
  await again.ready();
  expect(await json(again.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  return (await json(again.fetch(`/v1/audit/events?event=${event}`))).items;
}

describe('a hub that is shut down', () => {
  test('lets a running call finish, accepts no new one, stops its children and exits with 0 within ten seconds', async () => {
    await using hub = await started();
    const pid = Number((await json(hub.fetch('/v1/tools/faulty/pid/call', { json: {} }))).result.content[0].text);
    const running = slow(hub, 1);
    await expect.poll(() => callsRunning(hub)).toBe(1);
    const at = performance.now();
    hub.child.kill('SIGTERM');
    await expect.poll(() => hub.logLines().some((line) => line.message === 'Hestia is shutting down')).toBe(true);
    const refused = await hub.fetch('/v1/tools/everything/echo/call', { json: { arguments: { message: 'x' } } }).then(
      async (response) => (await json(response)).code,
      () => 'refused',
    );
    expect(['SHUTTING_DOWN', 'refused']).toContain(refused);
    expect(await json(running)).toMatchObject({ outcome: 'success' });
    expect(await hub.exited).toBe(0);
    expect(performance.now() - at).toBeLessThan(tenSeconds);
    expect(isRunning(pid)).toBe(false);
    const events = hub.logLines().map((line) => line.monitoring_event);
    expect(events.filter((event) => event !== undefined)).toEqual(['SCHEDULER_START', 'SCHEDULER_STOP']);
    expect(await recorded(hub.folder, 'SCHEDULER_STOP')).toMatchObject([{ fields: { total_cleanups: 0 } }]);
  });

  test('stops the processes that its children have started', async () => {
    const pidsFile = await temporaryFile();
    const mcpServers = { parent: supportServer('faulty-server.ts', 'grandchild', pidsFile) };
    await using hub = await startHubProcess({ file: { mcpServers } });
    await hub.ready();
    await untilServersConnected(hub, 'parent');
    hub.child.kill('SIGTERM');
    expect(await hub.exited).toBe(0);
    const pids = (await readFile(pidsFile, 'utf8')).trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  test('cancels a call that takes too long, and records its outcome', async () => {
    await using hub = await started();
    const running = hub.fetch('/v1/tools/faulty/hang/call', { json: {} });
    await expect.poll(() => callsRunning(hub)).toBe(1);
    hub.child.kill('SIGTERM');
    expect(await json(running)).toMatchObject({ status: 503, code: 'SHUTTING_DOWN' });
    expect(await hub.exited).toBe(0);
    const outcome = hub.logLines().find((line) => line.event === 'Tool outcome recorded' && line.tool_name === 'hang');
    expect(outcome).toMatchObject({ outcome: 'error', error_type: 'shutdown' });
    expect(await recorded(hub.folder, 'TOOL_OUTCOME')).toMatchObject([
      { fields: { tool_name: 'hang', call_id: outcome?.call_id, outcome: 'error', error_type: 'shutdown' } },
    ]);
  });

  test('does not blame an upstream that the same Ctrl-C stops', async () => {
    await using hub = await started();
    const pid = Number((await json(hub.fetch('/v1/tools/faulty/pid/call', { json: {} }))).result.content[0].text);
    const running = hub.fetch('/v1/tools/faulty/hang/call', { json: {} });
    await expect.poll(() => callsRunning(hub)).toBe(1);
    hub.child.kill('SIGINT');
    await expect.poll(() => hub.logLines().some((line) => line.message === 'Hestia is shutting down')).toBe(true);
    process.kill(pid, 'SIGKILL');
    expect(await json(running)).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(await hub.exited).toBe(0);
    const outcome = hub.logLines().find((line) => line.tool_name === 'hang');
    expect(outcome).toMatchObject({ outcome: 'error', error_type: 'shutdown' });
  });

  test('reports draining to load balancers while calls are still running', async () => {
    await using hub = await started();
    const running = slow(hub, 2);
    await expect.poll(() => callsRunning(hub)).toBe(1);
    hub.child.kill('SIGTERM');
    await expect.poll(async () => (await json(hub.fetch('/readyz'))).status).toBe('draining');
    expect((await hub.fetch('/v1/tools/everything/echo/call', { json: { arguments: { message: 'x' } } })).status).toBe(
      503,
    );
    expect(await json(running)).toMatchObject({ outcome: 'success' });
    expect(await hub.exited).toBe(0);
  });

  test('exits even if its log is on a full disk', async () => {
    await using hub = await startHubProcess({ file: {}, environment: { HESTIA_LOG_FILE: '/dev/full' } });
    await hub.ready();
    hub.child.kill('SIGTERM');
    expect(await hub.exited).toBe(0);
  });

  test('continues its orderly shutdown when it receives further signals', async () => {
    await using hub = await started();
    const running = slow(hub, 1);
    await expect.poll(() => callsRunning(hub)).toBe(1);
    hub.child.kill('SIGTERM');
    await expect.poll(() => hub.logLines().some((line) => line.message === 'Hestia is shutting down')).toBe(true);
    hub.child.kill('SIGTERM');
    hub.child.kill('SIGINT');
    expect(await json(running)).toMatchObject({ outcome: 'success' });
    expect(await hub.exited).toBe(0);
    expect(hub.logLines().at(-1)).toMatchObject({ message: 'Hestia has shut down' });
  });

  test.each(['no collector', 'a collector that hangs'])(
    'exits within ten seconds with %s, and reports the lost telemetry',
    async (which) => {
      await using receiver = await startOtlpReceiver();
      receiver.mode = 'hang';
      if (which === 'no collector') await receiver.close();
      await using hub = await started({ OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
      await hub.fetch('/v1/tools/everything/echo/call', { json: { arguments: { message: 'x' } } });
      const at = performance.now();
      hub.child.kill('SIGTERM');
      expect(await hub.exited).toBe(0);
      expect(performance.now() - at).toBeLessThan(tenSeconds);
      const last = hub.logLines().at(-1);
      expect(last?.message).toBe('Telemetry was lost');
      expect(last?.spans_lost).toBeGreaterThan(0);
      expect(last?.log_records_lost).toBeGreaterThan(0);
    },
  );
});
