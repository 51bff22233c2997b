/** The official conformance suite against the hub as a client: its servers are added to a hub, and used through it. */
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { clientResult, expectAllButListed, listedExceptions, revisions, scenariosOfClients } from './suite.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

const client = fileURLToPath(new URL('hub-client.ts', import.meta.url));
const command = `${process.execPath} --disable-warning=ExperimentalWarning ${client}`;

/** Its check compares a delay with a tolerance of 200 ms, which a busy machine exceeds. */
const timed: ReadonlySet<string> = new Set(['sse-retry']);
const attemptsMax = 5;
/** Scenarios that run at a time, each in two processes. */
const concurrencyMax = 3;

describe('of the scenarios of the extension for client credentials', () => {
  test.each(['auth/client-credentials-basic', 'auth/client-credentials-jwt'])(
    'the hub passes %s',
    async (scenario) => {
      const env = { HUB_URL: hub.url, HUB_KEY: hub.operator.secret };
      expectAllButListed(await clientResult(command, { scenario, env }), []);
    },
    120_000,
  );
});

describe.each(revisions)('of the scenarios that %s requires of a client', (revision) => {
  const run = async (scenario: string, attempts: number): ReturnType<typeof clientResult> => {
    const env = { HUB_URL: hub.url, HUB_KEY: hub.operator.secret };
    const results = await clientResult(command, { scenario, revision, env });
    const isFailed = results.some(({ failures }) => failures.length > 0);
    return isFailed && attempts > 1 ? run(scenario, attempts - 1) : results;
  };

  test('the hub passes all but those that are listed', async () => {
    const limit = pLimit(concurrencyMax);
    const scenarios = scenariosOfClients(revision);
    const results = await Promise.all(
      scenarios.map((scenario) => limit(() => run(scenario, timed.has(scenario) ? attemptsMax : 1))),
    );
    expectAllButListed(results.flat(), listedExceptions('client', revision));
  }, 600_000);
});
