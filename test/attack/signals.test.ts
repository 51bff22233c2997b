/** Signals: none of those that terminate a process ends the hub undrained, and none opens an inspector. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { type AttackedHub, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';

/** Begins a call that its server answers after two seconds. Resolves when it has begun. */
async function beginCall(hub: AttackedHub) {
  await untilServersConnected(hub, 'hostile');
  const call = hub.operator.call('hostile', 'run', { answerAfterMs: 2000 });
  await waitFor(async () => {
    const { body } = await hub.operator.mcp('tools/call', { name: 'get_mcp_hub_status', arguments: {} });
    if (body.result.structuredContent.calls_running !== 1) throw new Error('the call has not begun');
  });
  return { call };
}

describe('a hub that is sent a signal that terminates processes', () => {
  test.each(['SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM'] as const)(
    '%s lets a running call finish and exits in order',
    async (signal) => {
      using upstream = createHostileUpstream();
      await using hub = await startAttackedHub({ file: { mcpServers: { hostile: upstream.configuration } } });
      const { call } = await beginCall(hub);
      hub.child.kill(signal);
      expect(await call).toMatchObject({ status: 200, body: { outcome: 'success' } });
      expect(await hub.exited).toBe(0);
      expect(hub.logLines().at(-1)).toMatchObject({ message: 'Hestia has shut down' });
    },
  );
});

describe('a hub that is sent SIGUSR1', () => {
  test('opens no inspector, and keeps running', async () => {
    await using hub = await startAttackedHub();
    hub.child.kill('SIGUSR1');
    for (let times = 0; times < 20; times += 1) expect((await hub.operator.fetch('/v1/skills')).status).toBe(200);
    expect(hub.stderr()).not.toMatch(/debugger|inspector/i);
    expect(hub.child.exitCode).toBeNull();
  });

  test.each(['package.json', 'Dockerfile', 'src/hestia.ts'])('is not read by Node, as %s starts the hub', (file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const starts = text
      .split('\n')
      .filter((line) => /^#!|\bnode\b.*(src\/(main|hestia)\.ts|dist\/main\.js)"/.test(line));
    expect(starts.length).toBeGreaterThan(0);
    for (const line of starts) expect(line).toContain('--disable-sigusr1');
  });
});
