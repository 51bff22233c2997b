/** A hub that has no file descriptors left: it answers 503, serves what needs none, and recovers. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { startHubProcess } from '../support/hub/hub-process.ts';
import { describeWith } from '../support/programs/requirements.ts';

describeWith(['linux', 'prlimit'], 'a hub without file descriptors', () => {
  test('answers 503 to what needs one, serves the rest, and recovers', async () => {
    await using hub = await startHubProcess();
    await hub.ready();
    // A connection from before, since no new one can be accepted.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = (path: string) =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const headers = { authorization: `Bearer ${hub.key()}`, host: 'localhost' };
        const sent = request({ agent, host: '127.0.0.1', port: hub.port, path, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode, text }));
        });
        sent.on('error', reject).end();
      });
    expect((await get('/v1/skills')).status).toBe(200);
    const limit = (descriptors: number) =>
      expect(spawnSync('prlimit', [`--pid=${hub.child.pid}`, `--nofile=${descriptors}:`]).status).toBe(0);
    const numbers = readdirSync(`/proc/${hub.child.pid}/fd`).map(Number);
    // A new descriptor gets the lowest free number, which must be below the limit.
    const lowestFree = Array.from({ length: numbers.length + 1 }, (_, at) => at).find((at) => !numbers.includes(at));
    limit(lowestFree ?? numbers.length);
    const refused = await get('/docs/swagger-ui.css');
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.text)).toMatchObject({
      code: 'OVERLOADED',
      detail: expect.stringContaining('descriptors'),
    });
    expect((await get('/v1/skills')).status).toBe(200);
    expect((await get('/livez')).status).toBe(200);
    limit(4096);
    expect((await get('/docs/swagger-ui.css')).status).toBe(200);
    agent.destroy();
  });
});
