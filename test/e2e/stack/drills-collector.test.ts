/** Drills of the alerts on the collector: it is ended, kept from handing on, and given what nobody takes. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type DrillStage,
  type FaultLine,
  firedAndResolved,
  startDrillStage,
  statesOf,
} from '../../support/hub/drill.ts';
import type { Collector } from '../../support/programs/collector.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const drillTimeoutMs = 200_000;

/** Commands for the collector of a test, and for what is behind it: each asks this process by HTTP. */
async function startCommands({ receiver, stop, start }: Collector): Promise<AsyncDisposable & { words: string[] }> {
  const answerWith = async (mode: 'ok' | 'refuse503') => {
    receiver.mode = mode;
  };
  const work: Record<string, () => Promise<void>> = {
    'collector-stop': () => stop(),
    'collector-start': () => start(),
    'backends-stop': () => answerWith('refuse503'),
    'backends-start': () => answerWith('ok'),
  };
  const server = createServer((request, response) => {
    const done = (status: number) => response.writeHead(status).end();
    const asked = work[String(request.url).slice(1)]?.() ?? Promise.reject(new Error('no such command'));
    asked.then(
      () => done(200),
      () => done(500),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ask = (name: string) => {
    const code = `fetch('http://127.0.0.1:${port}/${name}').then((answer) => process.exit(answer.ok ? 0 : 1))`;
    return `"${process.execPath}" -e "${code}"`;
  };
  return {
    words: Object.keys(work).flatMap((name) => [`--${name}`, ask(name)]),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeWith(['otelcol', 'prometheus'], 'a fault of the collector that is made for real', () => {
  let stage: DrillStage;
  beforeAll(async () => {
    stage = await startDrillStage();
  }, 60_000);
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** The alert fires, alone, and resolves. */
  function expectAlone(lines: readonly FaultLine[], name: string): void {
    expect(statesOf(lines, name)).toEqual(firedAndResolved);
    expect(lines.find(({ state }) => state === 'firing')).toMatchObject({ alsoFiring: [] });
  }

  test('a collector that is down', { timeout: drillTimeoutMs }, async () => {
    await using commands = await startCommands(stage.watched.collector);
    expectAlone(await stage.drill(['collector-down'], commands.words), 'collector-down');
  });

  test('a collector that cannot hand on what it takes', { timeout: drillTimeoutMs }, async () => {
    await using commands = await startCommands(stage.watched.collector);
    expectAlone(await stage.drill(['collector-queue-filling'], commands.words), 'collector-queue-filling');
  });

  test('a collector that is given what Loki refuses for good', { timeout: drillTimeoutMs }, async () => {
    const { receiver } = stage.watched.collector;
    receiver.mode = 'reject400';
    const lines = await stage.drill(['collector-failing']);
    receiver.mode = 'ok';
    expectAlone(lines, 'collector-failing');
  });
});
