import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setInterval } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { type CommandRun, type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';
import { realServer } from '../support/servers/real-server.ts';
import { startOtlpReceiver } from '../support/telemetry/otlp-receiver.ts';

let hub: ListeningHub;
beforeAll(async () => {
  const servers = {
    everything: realServer('everything', ['stdio']),
    files: realServer('filesystem', [new URL('../../docs', import.meta.url).pathname]),
  };
  hub = await startListeningHub({ file: { mcpServers: servers } });
  await untilConnected(hub, 'everything', 'files');
});
afterAll(() => hub[Symbol.asyncDispose]());

function demo(words: string[], options: CommandRunOptions = {}): Promise<CommandRun> {
  return runCommand(['demo', '--url', hub.url, '--key', hub.operator.secret, ...words], options);
}

/** Nothing that a demo creates remains. */
async function expectNothingRemains(): Promise<void> {
  const keys = (await json(hub.operator.fetch('/v1/keys?limit=200'))).items;
  const agents = keys.filter(({ agentId }: { agentId: string }) => agentId.startsWith('demo-agent-'));
  expect(agents).not.toEqual([]);
  for (const key of agents) expect(key).toMatchObject({ revokedAt: expect.any(String) });
  expect((await json(hub.operator.fetch('/v1/skills?namespace=demo'))).items).toEqual([]);
}

describe('a demo in a pipe', () => {
  test('produces every outcome and event, reports each step, prints a summary, and removes what it created', async () => {
    const ended = await demo(['--duration', '6', '--agents', '3']);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = ended.lines();
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ kind: 'summary', agents: 3, interrupted: false, steps: lines.length - 1 });
    const outcomes = new Set(lines.slice(0, -1).map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['success', 'error', 'timeout', 'abandoned', 'refused']));
    expect(Object.keys(Object(summary?.events))).toEqual(
      expect.arrayContaining([
        'ACCESS_DENIED',
        'SKILL_ACTIVATION_SUCCESS',
        'SKILL_DEACTIVATION_SUCCESS',
        'SKILL_PUBLISHED',
        'TOOL_OUTCOME',
      ]),
    );
    expect(summary?.traces).not.toEqual([]);
    await expectNothingRemains();
  });

  test('exports the roots of its traces where the environment names a collector', async () => {
    await using receiver = await startOtlpReceiver();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const ended = await demo(['--duration', '2', '--agents', '1'], { environment });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    const steps = ended.lines().slice(0, -1);
    const roots = new Map(receiver.spans().map((span) => [span.traceId, span]));
    expect(steps.filter(({ traceId }) => !roots.has(String(traceId)))).toEqual([]);
    for (const { parentSpanId, name, kind } of roots.values()) {
      expect(parentSpanId).toBeUndefined();
      expect(name).toMatch(/^demo ((GET|POST|PUT) \/v1\/[a-z]+|tools\/call \w+)$/);
      expect(kind).toBe('CLIENT');
    }
    await expectNothingRemains();
  });

  test('stops at its maximum of steps', async () => {
    const summary = (await demo(['--duration', '60', '--agents', '2', '--steps', '5'])).lines().at(-1);
    expect(summary).toMatchObject({ kind: 'summary' });
    expect(summary?.steps).toBeLessThanOrEqual(6);
    await expectNothingRemains();
  });

  test('removes what it created when Ctrl-C interrupts it', async () => {
    const interruption = new AbortController();
    const running = demo(['--duration', '60'], {
      signal: interruption.signal,
      stdout: {
        write: () => {
          interruption.abort();
          return true;
        },
      },
    });
    const ended = await running;
    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toBe('hestia: interrupted; everything the demo created is removed\n');
    await expectNothingRemains();
  });
});

describe('the process of a demo', () => {
  test('removes what it created when one Ctrl-C arrives twice, from the terminal and from npm', async () => {
    const file = fileURLToPath(new URL('../../src/hestia.ts', import.meta.url));
    const words = ['demo', '--url', hub.url, '--key', hub.operator.secret, '--duration', '60'];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...words]);
    const exited = once(child, 'close');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    // With pauses, because pending signals of the same kind are merged into one.
    let sent = 0;
    for await (const _tick of setInterval(10)) {
      child.kill('SIGINT');
      sent += 1;
      if (sent === 5) break;
    }
    await exited;
    // The exit code is not compared: Node.js removes its signal handlers shortly before it exits, so a late signal may kill it.
    expect(stderr).toBe('hestia: interrupted; everything the demo created is removed\n');
    await expectNothingRemains();
  });
});

describe('a demo on a terminal', () => {
  test('prints a summary with traces and dashboards to look at', async () => {
    const { stdout, exitCode } = await demo(['--duration', '2'], { isTerminal: true });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\d+ steps by 4 agents with \d+ tools/);
    expect(stdout).toMatch(/^ {2}[0-9a-f]{32} {2}the slowest: /m);
    expect(stdout).toContain('Overview · Tools');
  });
});

describe('a demo against a hub without servers', () => {
  test('only searches and uses skills', async () => {
    await using bare = await startListeningHub();
    const { exitCode, stdout } = await runCommand(
      ['demo', '--url', bare.url, '--key', bare.operator.secret, '--duration', '2'],
      { isTerminal: true },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('No connected server has read-only tools');
  });
});
