import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alertRules } from '../../grafana/rules/alert-rules.ts';
import { faults } from '../../src/cli/faults/table.ts';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { type CommandRun, type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

function injectFaults(names: string, words: string[] = [], options: CommandRunOptions = {}): Promise<CommandRun> {
  const all = ['demo', '--faults', names, '--url', hub.url, '--key', hub.operator.secret, '--pace', '50', ...words];
  return runCommand(all, options);
}

/** The states of a fault, in order. */
function states(run: CommandRun, fault: string): unknown[] {
  return run.lines().flatMap((line) => (line.fault === fault ? [line.state] : []));
}

/** Starts an HTTP server that responds with `answer()` and records the requested paths. */
async function startHttpServer(answer: () => unknown): Promise<AsyncDisposable & { url: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(String(request.url));
    response.end(JSON.stringify(answer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    paths,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the list of faults', () => {
  test('names the alert of each fault, which has the same name', async () => {
    const listed = (await injectFaults('list')).lines();
    expect(listed).toHaveLength(faults.length);
    for (const { fault, alert } of listed) {
      const words = String(fault).split('-');
      expect(alert).toBe(`Hestia${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`);
    }
    expect(new Set(listed.map(({ fault }) => fault)).size).toBe(faults.length);
  });

  test('has one fault for each alert, and none for an alert that does not exist', () => {
    const alerts = alertRules({ timeScale: 1 }).flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(faults.map(({ alert }) => alert).sort()).toEqual([...new Set(alerts)].sort());
  });

  test('is printed by --faults without names, as a block per fault where a table would not fit', async () => {
    const { exitCode, stdout } = await runCommand(['demo', '--faults'], { isTerminal: true });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^FAULT {2,}hub-down\nTARGET {2,}own hub\nWHAT IT DOES {2,}kills a hub/m);
  });

  test('is part of the error for an unknown name', async () => {
    const ended = await injectFaults('hub-dwon');
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(
      /^hestia: --faults: found "hub-dwon", must be list, all, or of: [^\n]*hub-down[^\n]*\n$/,
    );
  });
});

describe('a fault on the hub of --url', () => {
  test('is injected, held and undone', async () => {
    const run = await injectFaults('access-denied', ['--hold', '1']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(states(run, 'access-denied')).toEqual(['begun', 'made', 'undone']);
    const denied = (await json(hub.operator.fetch('/v1/audit/events?event=ACCESS_DENIED&limit=200'))).items;
    // The first denial is recorded, and repeats are counted.
    expect(denied.length).toBeGreaterThan(0);
    const keys = (await json(hub.operator.fetch('/v1/keys?limit=200'))).items;
    const own = keys.filter(({ agentId }: { agentId: string }) => agentId === 'demo-fault');
    expect(own).toEqual([expect.objectContaining({ revokedAt: expect.any(String) })]);
  });

  test('is undone when Ctrl-C interrupts it', async () => {
    const interruption = new AbortController();
    const write = (text: string) => {
      if (text.includes('"made"')) interruption.abort();
      return true;
    };
    const run = await injectFaults('access-denied', [], { signal: interruption.signal, stdout: { write } });
    expect(run).toMatchObject({ exitCode: 130, stderr: 'hestia: interrupted; all faults are undone\n' });
    for (const { agentId, revokedAt } of (await json(hub.operator.fetch('/v1/keys?limit=200'))).items)
      if (agentId === 'demo-fault') expect(revokedAt).toEqual(expect.any(String));
  });
});

describe('a fault with --prometheus', () => {
  test('is undone when its alert fires, names the other firing alerts, and finishes when its alert resolves', async () => {
    let requests = 0;
    const firing = (name: string) => ({ state: 'firing', labels: { alertname: name } });
    const alerts = () => {
      requests += 1;
      return requests === 2 ? [firing('HestiaAccessDenied'), firing('HestiaHubDown')] : [];
    };
    await using prometheus = await startHttpServer(() => ({ data: { alerts: alerts() } }));
    const run = await injectFaults('access-denied', ['--prometheus', prometheus.url, '--until-resolved']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(states(run, 'access-denied')).toEqual(['begun', 'made', 'firing', 'undone', 'resolved']);
    expect(run.lines().find(({ state }) => state === 'firing')).toMatchObject({ alsoFiring: ['HestiaHubDown'] });
  });

  test('fails if the alert never fires, after it was undone', async () => {
    await using prometheus = await startHttpServer(() => ({ data: { alerts: [] } }));
    const run = await injectFaults('access-denied', ['--prometheus', prometheus.url, '--hold', '1']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toBe('hestia: not as expected: access-denied\n');
    expect(states(run, 'access-denied')).toEqual(['begun', 'made', 'missed', 'undone']);
  });

  test('fails with the address if no Prometheus answers', async () => {
    const run = await injectFaults('access-denied', ['--prometheus', 'http://127.0.0.1:9']);
    expect(run.exitCode).toBe(1);
    expect(run.lines().at(-1)).toMatchObject({
      state: 'failed',
      reason: 'no Prometheus answers at http://127.0.0.1:9',
    });
  });
});

describe('a fault of the collector', () => {
  test('runs the given commands, one to inject it and one to undo it', async () => {
    await using listener = await startHttpServer(() => ({}));
    const requestCommand = (name: string) => `node -e "fetch('${listener.url}/${name}')"`;
    const commands = ['--collector-stop', requestCommand('stop'), '--collector-start', requestCommand('start')];
    const run = await injectFaults('collector-down', ['--hold', '1', ...commands]);
    expect(run.exitCode).toBe(0);
    expect(listener.paths).toEqual(['/stop', '/start']);
  });

  test('fails with the command if the command fails', async () => {
    const run = await injectFaults('collector-down', ['--collector-stop', 'exit 3']);
    expect(run.exitCode).toBe(1);
    expect(run.lines().at(-1)).toMatchObject({ state: 'failed', reason: 'the command failed with 3: exit 3' });
  });
});
