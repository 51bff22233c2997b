/** Drills of the alerts on the collector: it is stopped, loses its backends, and is sent what Loki rejects. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type DrillStage,
  type FaultLine,
  firedAndResolved,
  startDrillStage,
  statesOf,
} from '../../support/hub/drill.ts';
import type { Collector } from '../../support/programs/collector.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const drillTimeoutMs = 700_000;

/** Shell commands that stop and start the collector of a test and its backends. Each sends an HTTP request to this process. */
async function startCommands({ receiver, stop, start }: Collector): Promise<AsyncDisposable & { words: string[] }> {
  const setBackendMode = async (mode: 'ok' | 'refuse503') => {
    receiver.mode = mode;
  };
  const work: Record<string, () => Promise<void>> = {
    'collector-stop': () => stop(),
    'collector-start': () => start(),
    'backends-stop': () => setBackendMode('refuse503'),
    'backends-start': () => setBackendMode('ok'),
  };
  const server = createServer((request, reply) => {
    const done = (status: number) => reply.writeHead(status).end();
    const running = work[String(request.url).slice(1)]?.() ?? Promise.reject(new Error('no such command'));
    running.then(
      () => done(200),
      () => done(500),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const requestCommand = (name: string) => {
    const code = `fetch('http://127.0.0.1:${port}/${name}').then((answer) => process.exit(answer.ok ? 0 : 1))`;
    return `"${process.execPath}" -e "${code}"`;
  };
  return {
    words: Object.keys(work).flatMap((name) => [`--${name}`, requestCommand(name)]),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isFiring = ({ state }: FaultLine) => state === 'firing';

describeWith(['otelcol', 'prometheus'], 'an injected fault of the collector', () => {
  let stage: DrillStage;
  beforeAll(async () => {
    stage = await startDrillStage();
  }, 180_000);
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** The alert fires without others, and resolves. */
  async function expectAlone(lines: readonly FaultLine[], name: string): Promise<void> {
    expect(statesOf(lines, name)).toEqual(firedAndResolved);
    const { alsoFiring } = z.object({ alsoFiring: z.array(z.string()) }).parse(lines.find(isFiring));
    const others = (await stage.firedAlerts()).filter(({ alert }) => alsoFiring.includes(alert));
    expect(others).toEqual([]);
  }

  test('a stopped collector makes its alert fire alone', { timeout: drillTimeoutMs }, async () => {
    await using commands = await startCommands(stage.watched.collector);
    await expectAlone(await stage.drill(['collector-down'], commands.words), 'collector-down');
  });

  test('a collector without backends makes its alert fire alone', { timeout: drillTimeoutMs }, async () => {
    await using commands = await startCommands(stage.watched.collector);
    await expectAlone(await stage.drill(['collector-queue-filling'], commands.words), 'collector-queue-filling');
  });

  test('a collector that is sent what Loki rejects permanently makes its alert fire alone', {
    timeout: drillTimeoutMs,
  }, async () => {
    const { receiver } = stage.watched.collector;
    receiver.mode = 'reject400';
    const lines = await stage.drill(['collector-failing']);
    receiver.mode = 'ok';
    await expectAlone(lines, 'collector-failing');
  });
});
