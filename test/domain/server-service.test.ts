/** What a caller sees of an upstream server that does not connect. */
import { describe, expect, test } from 'vitest';
import { json, startTestHub } from '../support/hub/hub.ts';
import { supportServer } from '../support/servers/support-server.ts';
import { disposeAfterTest } from '../support/servers/upstream-connection.ts';

describe('a server that exits at its start', () => {
  test('shows its exit code to every caller, and its output to operators only', async () => {
    const server = { ...supportServer('faulty-server.ts', 'exit'), autoConnect: false };
    const hub = disposeAfterTest(await startTestHub({ file: { mcpServers: { broken: server } } }));
    await hub.operator.fetch('/v1/servers/broken/connect', { method: 'POST' });
    const agent = await hub.key('reader');
    const shown = async (key: typeof agent) => (await json(key.fetch('/v1/servers'))).items[0].failure;
    expect(await shown(hub.operator)).toEqual({ exitCode: 7, stderrLines: ['cannot find the database'] });
    expect(await shown(agent)).toEqual({ exitCode: 7 });
  });
});
