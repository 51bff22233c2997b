/** The receivers of grafana/alertmanager.yaml, filled in as the file says: a firing alert arrives by mail and by webhook. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../support/hub/hub-process.ts';
import { startProgram } from '../../support/programs/program.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const configuration = new URL('../../../grafana/alertmanager.yaml', import.meta.url);
const alert = {
  labels: { alertname: 'HestiaStorageFailing', severity: 'critical', instance: 'hub-1' },
  annotations: { summary: 'The hub cannot write' },
};

async function listen(server: Server): Promise<number> {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}

/** A server that accepts every mail (RFC 5321), and appends what it is sent to `mails`. */
function mailServer(mails: string[]): Server {
  return createServer((socket) => {
    let text = '';
    let isMessage = false;
    socket.write('220 mail.example ready\r\n');
    socket.on('data', (chunk) => {
      text += chunk;
      if (isMessage && text.endsWith('\r\n.\r\n')) {
        mails.push(text);
        isMessage = false;
        socket.write('250 accepted\r\n');
      } else if (!isMessage) {
        isMessage = /^DATA\r\n/m.test(`${chunk}`);
        socket.write(isMessage ? '354 go on\r\n' : '250 mail.example\r\n');
      }
    });
    socket.on('error', () => undefined);
  });
}

function webhookServer(bodies: string[]): Server {
  return createHttpServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.end();
  });
}

describeWith('alertmanager', 'a firing alert', () => {
  test('arrives by mail and by webhook once both are filled in and routed to', async () => {
    await using parts = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'hestia-contact-points-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const mails: string[] = [];
    const bodies: string[] = [];
    const servers = { mail: mailServer(mails), webhook: webhookServer(bodies) };
    for (const server of Object.values(servers)) parts.defer(() => void server.close());
    const text = (await readFile(configuration, 'utf8'))
      .replace('smtp.example.com:587', `127.0.0.1:${await listen(servers.mail)}`)
      .replace('# require_tls: false', 'require_tls: false')
      .replace('https://example.com/alerts', `http://127.0.0.1:${await listen(servers.webhook)}`)
      .replace(
        '  receiver: nobody',
        '  receiver: nobody\n  routes: [{receiver: mail, continue: true}, {receiver: webhook}]',
      )
      .replace('group_wait: 30s', 'group_wait: 0s');
    const file = join(folder, 'alertmanager.yaml');
    await writeFile(file, text);
    const address = `127.0.0.1:${await freePort()}`;
    const storage = [`--storage.path=${folder}`, '--cluster.listen-address='];
    parts.use(
      await startProgram({
        command: 'prometheus-alertmanager',
        args: [`--config.file=${file}`, `--web.listen-address=${address}`, ...storage],
        readyUrl: `http://${address}/-/ready`,
      }),
    );
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify([alert]) };
    expect((await fetch(`http://${address}/api/v2/alerts`, request)).status).toBe(200);
    await vi.waitFor(() => expect([mails.length, bodies.length]).toEqual([1, 1]), { timeout: 60_000, interval: 100 });
    expect(mails[0]).toContain('HestiaStorageFailing');
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ status: 'firing', alerts: [alert] });
  });
});
