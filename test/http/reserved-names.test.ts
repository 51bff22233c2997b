/** Names of agents that are the hub's own: no key may have one, so that no record can be mistaken for one of the hub. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

const created = (agentId: string, role = 'agent') => hub.operator.fetch('/v1/keys', { json: { agentId, role } });

describe('a key', () => {
  test.each(['hestia', 'Hestia', 'HUB', 'scheduler', 'anonymous', 'start', 'system', 'operator', 'Operator'])(
    'for an agent named %s is refused',
    async (agentId) => {
      const response = await created(agentId);
      expect(response.status).toBe(400);
      expect(await json(response)).toMatchObject({
        code: 'INVALID_REQUEST',
        violations: [{ field: 'agentId', message: expect.stringContaining('name of the hub') }],
      });
    },
  );

  test('for a further operator may be named operator', async () => {
    expect((await created('operator', 'operator')).status).toBe(201);
    expect((await created('hestia', 'operator')).status).toBe(400);
    expect((await created('hestia-bot')).status).toBe(201);
  });
});
