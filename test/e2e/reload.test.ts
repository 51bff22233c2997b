import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { supportServer } from '../support/servers/support-server.ts';

describe('a hub process that is sent SIGHUP', () => {
  test('keeps running, and connects the server that was added to its configuration file', async () => {
    await using hub = await startHubProcess({ file: { mcpServers: {} } });
    await hub.ready();
    const file = { mcpServers: { added: supportServer('faulty-server.ts') } };
    await writeFile(join(hub.folder, 'hestia.config.json'), JSON.stringify(file));
    hub.child.kill('SIGHUP');
    await untilServersConnected(hub, 'added');
    const { items } = await json(hub.fetch('/v1/audit/events?event=SERVER_CHANGED'));
    expect(items).toMatchObject([
      { agent_id: 'hestia', fields: { server_id: 'added', change: 'added', source: 'file' } },
    ]);
    expect(hub.child.exitCode).toBeNull();
  });
});
