/** The list of audit records as an operator asks for it: by target, agent, event, outcome and time, in either order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, publishSkill, type TestKey } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const id = '@a/one';

let hub: ListeningHub;
let agent: TestKey;
let betweenCalls: string;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { [id]: supportServer('faulty-server.ts') } } });
  agent = await hub.key('caller');
  await untilConnected(hub, id);
  await publishSkill(agent, 'invoices');
  await call('pid');
  betweenCalls = new Date().toISOString();
  await call('no_such_tool', 404);
  await call('rpc_error', 502);
  await call('pid');
});
afterAll(() => hub[Symbol.asyncDispose]());

async function call(toolName: string, status = 200): Promise<void> {
  const path = `/v1/tools/${encodeURIComponent(id)}/${toolName}/call`;
  const answer = await agent.fetch(path, { method: 'POST', json: { arguments: {} } });
  expect(answer.status).toBe(status);
}

interface Listed {
  seq: number;
  event: string;
  target: string;
  outcome: string;
}

async function listed(query: string): Promise<Listed[]> {
  const { items } = await json(hub.operator.fetch(`/v1/audit/events?limit=200&${query}`));
  return items;
}

async function refusal(path: string): Promise<string> {
  const answer = await hub.operator.fetch(path);
  expect(answer.status).toBe(400);
  const { detail } = z.object({ detail: z.string() }).parse(await answer.json());
  return detail;
}

describe('the list of audit records', () => {
  test('has the records of one tool only, whatever its server is called', async () => {
    const calls = await listed(`tool=${encodeURIComponent(`${id}/pid`)}`);
    expect(calls.map(({ target }) => target)).toEqual(['tool:@a%2Fone/pid', 'tool:@a%2Fone/pid']);
    expect(await listed(`target=${encodeURIComponent('tool:@a%2Fone/pid')}`)).toEqual(calls);
  });

  test('has the records of a server with those of its tools, in order and in pages', async () => {
    const all = await listed(`server=${encodeURIComponent(id)}`);
    expect(new Set(all.map(({ target }) => target))).toEqual(
      new Set([
        'tool:@a%2Fone/pid',
        'tool:@a%2Fone/rpc_error',
        ...all.map(({ target }) => target).filter((t) => t.startsWith('server:')),
      ]),
    );
    expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b));
    const paged: Listed[] = [];
    let cursor = '';
    do {
      const page = await json(
        hub.operator.fetch(
          `/v1/audit/events?order=newest&limit=1&server=${encodeURIComponent(id)}${cursor && `&cursor=${cursor}`}`,
        ),
      );
      paged.push(...page.items);
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(paged).toEqual(all.toReversed());
  });

  test('has the records of a skill', async () => {
    const records = await listed('skill=invoices');
    expect(records.map(({ event }) => event)).toEqual(['SKILL_PUBLISHED']);
  });

  test('has the calls with an outcome', async () => {
    expect((await listed('outcome=error')).map(({ target }) => target)).toEqual(['tool:@a%2Fone/rpc_error']);
    expect(await listed('outcome=timeout')).toEqual([]);
    const successes = await listed('outcome=success');
    expect(successes.map(({ event }) => event)).toEqual(['TOOL_OUTCOME', 'TOOL_OUTCOME']);
  });

  test('begins and ends at a time', async () => {
    const tool = `tool=${encodeURIComponent(`${id}/pid`)}`;
    const [first, second] = await listed(tool);
    expect(await listed(`${tool}&until=${betweenCalls}`)).toEqual([first]);
    expect(await listed(`${tool}&since=${betweenCalls}`)).toEqual([second]);
    expect(await listed(`${tool}&since=1h`)).toEqual([first, second]);
    expect(await listed(`${tool}&until=1h`)).toEqual([]);
  });

  test('combines all filters', async () => {
    expect(await listed(`agentId=caller&outcome=error&event=TOOL_OUTCOME&since=1h&order=newest`)).toHaveLength(1);
    expect(await listed(`agentId=nobody&outcome=error`)).toEqual([]);
  });

  test.each([
    ['targets=x', /^targets: there is no such query parameter; allowed are limit, cursor, order, event, /],
    ['event=TOOL_OUTCOMES', /^event: .*TOOL_OUTCOME.*SKILL_PUBLISHED/],
    ['outcome=failed', /^outcome: .*"success"\|"error"\|"timeout"\|"abandoned"/],
    ['since=yesterday', /^since: must be a time such as .* or how long ago, such as "15m", "2h" or "7d"$/],
    ['tool=pid', /^tool: must be a server and a tool, such as "github\/get_issue"$/],
    ['tool=a/b&skill=c', /^tool, skill: only one of them is allowed$/],
    ['order=up', /^order: .*"oldest"\|"newest"/],
  ])('refuses %s and says what is allowed', async (query, message) => {
    expect(await refusal(`/v1/audit/events?${query}`)).toMatch(message);
  });
});

test('every documented operation refuses a query parameter that it does not have', async () => {
  const { paths } = await json(hub.operator.fetch('/openapi.json'));
  const operations = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
  );
  const served = operations.filter(([, path]) => path !== '/livez' && path !== '/readyz');
  expect(served.length).toBeGreaterThan(30);
  for (const [method, path] of served) {
    const url = `${path.replaceAll(/\{\w+\}/g, '1')}?mispelled=1`;
    const answer = await hub.operator.fetch(url, { method });
    expect([method, path, answer.status]).toEqual([method, path, 400]);
  }
});
