import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { skillText } from '../support/hub/hub.ts';
import { type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { realServer } from '../support/servers/real-server.ts';

describeWith('jq', 'the log of a used hub', () => {
  let hub: HubProcess;
  beforeAll(async () => {
    hub = await startHubProcess({ file: { mcpServers: { everything: realServer('everything', ['stdio']) } } });
    await hub.ready();
    await untilServersConnected(hub, 'everything');
    await hub.fetch('/v1/skills/triage', {
      method: 'PUT',
      body: skillText('triage'),
      headers: { 'content-type': 'text/markdown' },
    });
    await hub.fetch('/v1/skills/triage/activate', { method: 'POST' });
    const call = (tool: string, body: object) => hub.fetch(`/v1/tools/everything/${tool}/call`, { json: body });
    await call('echo', { arguments: { message: 'one' } });
    await call('echo', { arguments: { message: 'two' } });
    await call('echo', { arguments: { message: 3 } });
    await call('trigger-long-running-operation', { arguments: { duration: 5 }, timeoutMs: 50 });
    await hub.fetch('/v1/scheduler/run', { method: 'POST' });
    hub.child.kill('SIGTERM');
    expect(await hub.exited).toBe(0);
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  const run = (command: string) => execFileSync('sh', ['-c', command], { cwd: hub.folder, encoding: 'utf8' });
  const objects = (text: string) => JSON.parse(`[${text.trim().replaceAll('}\n{', '},\n{')}]`);

  test('lists activations with the first command of the reference', () => {
    const printed = run(
      `grep "SKILL_ACTIVATION" data/hestia.log | jq '{time: .timestamp, skill: .skill_name, event: .security_event, agent: .agent_id}'`,
    );
    expect(objects(printed)).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        skill: 'triage',
        event: 'SKILL_ACTIVATION_SUCCESS',
        agent: 'operator',
      },
    ]);
  });

  test('counts outcomes with the second command', () => {
    const printed = run(`grep "Tool outcome recorded" data/hestia.log | jq -r '.outcome' | sort | uniq -c`);
    expect(
      printed
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['1 error', '2 success', '1 timeout']);
  });

  test('lists scheduler events with the third command', () => {
    const printed = run(
      `grep "SCHEDULER_" data/hestia.log | jq '{time: .timestamp, event: .monitoring_event, details: .}'`,
    );
    const events = objects(printed);
    expect(events.map(({ event }: { event: string }) => event)).toEqual([
      'SCHEDULER_START',
      'SCHEDULER_CLEANUP_SUCCESS',
      'SCHEDULER_STOP',
    ]);
    expect(events[1].details).toMatchObject({
      deleted_count: 0,
      total_cleanups: 1,
      total_deleted: 0,
      last_run_time: expect.any(String),
    });
    expect(events[2].details).toMatchObject({ total_cleanups: 1, total_deleted: 0, last_run_time: expect.any(String) });
  });
});
