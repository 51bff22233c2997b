/** Connections to a child process that misbehaves: results, errors, cancellation, and lists of tools. */
import { readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inheritedVariables } from '../../src/shapes/server.ts';
import { useFakeClock } from '../support/fake-clock.ts';
import { supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  connectTo,
  createTestConnection,
  quickLimits,
  statesOf,
  temporaryFile,
  textOf,
  untilState,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

const faulty = (mode = 'plain', file = '') => supportServer('faulty-server.ts', mode, file);

describe('a connected child process', () => {
  test('reports its states, its protocol and its tools', async () => {
    const { connection, statuses, toolChanges } = await connectTo(faulty());
    expect(statesOf(statuses)).toEqual(['connecting', 'connected']);
    expect(connection.status()).toMatchObject({
      serverId: 'upstream',
      transport: 'stdio',
      protocolVersion: '2025-11-25',
      toolsRefusedCount: 0,
    });
    expect(connection.status().errorType).toBeUndefined();
    expect(toolChanges).toHaveLength(1);
    expect(connection.tools()[0]).toEqual({
      serverId: 'upstream',
      toolName: 'hang',
      title: undefined,
      description: 'Does hang.',
      inputSchema: { type: 'object' },
      outputSchema: undefined,
      annotations: undefined,
    });
  });

  test('may speak the oldest protocol', async () => {
    const { connection } = await connectTo(faulty('old'));
    expect(connection.status().protocolVersion).toBe('2024-11-05');
  });

  test('is connected once by several calls of connect', async () => {
    const { connection, statuses } = createTestConnection(faulty());
    await Promise.all([connection.connect(), connection.connect()]);
    await connection.connect();
    expect(statesOf(statuses)).toEqual(['connecting', 'connected']);
  });

  test('has the configured environment and the inherited variables, nothing else', async () => {
    const configuration = { ...supportServer('faulty-server.ts'), env: { CONFIGURED: 'yes', TZ: 'UTC' } };
    vi.stubEnv('HESTIA_TEST_SECRET', 'no');
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.test:3128');
    vi.stubEnv('no_proxy', 'localhost');
    vi.stubEnv('NODE_EXTRA_CA_CERTS', '');
    vi.stubEnv('TZ', 'Europe/Rome');
    vi.stubEnv('LC_ALL', '() { ignored; }');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { connection } = await connectTo(configuration);
    const environment = JSON.parse(textOf(await callTool(connection, 'environment')));
    expect(environment).toMatchObject({
      ...{ CONFIGURED: 'yes', TZ: 'UTC', HTTPS_PROXY: 'http://proxy.test:3128', no_proxy: 'localhost' },
    });
    const allowed: string[] = ['CONFIGURED', ...inheritedVariables];
    expect(Object.keys(environment).filter((name) => !allowed.includes(name))).toEqual([]);
    expect(environment).not.toHaveProperty('LC_ALL');
  });

  test('receives the `_meta` of a call', async () => {
    const { connection } = await connectTo(faulty());
    const meta = { traceparent: '00-11111111111111111111111111111111-2222222222222222-01', 'example.com/a': [1] };
    const answer = JSON.parse(textOf(await callTool(connection, 'meta', {}, { meta })));
    expect(answer).toEqual(meta);
  });
});

describe('a result', () => {
  test('passes through unchanged, with unknown types and fields of content', async () => {
    const { connection } = await connectTo(faulty());
    expect(await callTool(connection, 'exotic')).toEqual({
      content: [
        {
          type: 'text',
          text: 'a',
          annotations: { audience: ['user'], own: 1 },
          _meta: { block: true },
          unknownField: 'kept',
        },
        { type: 'resource_link', uri: 'file:///a', name: 'a', size: 3, unknownField: 'kept' },
        { type: 'hologram', data: 'unknown kind' },
      ],
      structuredContent: { a: [1, { b: null }], ü: 'ü' },
      isError: false,
      _meta: { 'example.com/trace': 'kept' },
      unknownField: 'kept',
    });
  });

  test('of 20 MiB fails that call, and no other', async () => {
    const { connection, statuses } = await connectTo(faulty());
    const huge = callFailure(callTool(connection, 'huge', { bytes: 20_971_520 }));
    const other = callTool(connection, 'pid').then(textOf);
    const [error, pid] = await Promise.all([huge, other]);
    expect(error.errorType).toBe('response_too_large');
    expect(textOf(await callTool(connection, 'pid'))).toBe(pid);
    expect(statuses).toHaveLength(2);
  });

  test('is limited by the exact number of bytes of its JSON', async () => {
    const { connection } = await connectTo(faulty(), quickLimits({ responseBytesMax: 4096 }));
    const surrounding = JSON.stringify({ content: [{ type: 'text', text: '' }] }).length;
    const fitting = await callTool(connection, 'huge', { bytes: 4096 - surrounding });
    expect(textOf(fitting)).toHaveLength(4096 - surrounding);
    const over = await callFailure(callTool(connection, 'huge', { bytes: 4097 - surrounding }));
    expect(over.errorType).toBe('response_too_large');
  });

  test('nested too deeply to be serialized is refused', async () => {
    const { connection } = await connectTo(faulty());
    expect((await callFailure(callTool(connection, 'deep'))).errorType).toBe('invalid_response');
    expect(connection.status().state).toBe('connected');
  });

  test('of the wrong structure is refused', async () => {
    const { connection } = await connectTo(faulty());
    expect((await callFailure(callTool(connection, 'bad_shape'))).errorType).toBe('invalid_response');
  });

  test.each(['error_null', 'meta_null', 'id_text', 'batch'])(
    'passes through with a small deviation from JSON-RPC (%s)',
    async (toolName) => {
      const { connection } = await connectTo(faulty());
      expect(await callTool(connection, toolName)).toEqual({
        content: [{ type: 'text', text: 'kept' }],
        isError: false,
      });
    },
  );

  test.each(['code_text', 'code_absent', 'result_null', 'result_absent', 'id_null', 'id_wrong', 'id_next'])(
    'that is malformed ends its call at once (%s), and the next call succeeds',
    async (toolName) => {
      const { connection, log } = await connectTo(faulty());
      const error = await callFailure(callTool(connection, toolName));
      expect(error.errorType).toBe('invalid_response');
      expect(JSON.stringify([error.message, { ...error }, log.lines])).not.toContain('secret-token');
      expect(textOf(await callTool(connection, 'not_json'))).toBe('after nonsense');
      expect(connection.status().state).toBe('connected');
    },
  );

  test('without an end fails the calls of that server, which is restarted', async () => {
    const { connection, statuses } = await connectTo(faulty(), quickLimits({ responseBytesMax: 100_000 }));
    expect((await callFailure(callTool(connection, 'endless'))).errorType).toBe('response_too_large');
    await untilState(connection, 'connected');
    expect(statuses.find(({ state }) => state === 'reconnecting')?.errorType).toBe('message_too_large');
    expect(textOf(await callTool(connection, 'not_json'))).toBe('after nonsense');
  });

  test.each(['not_json', 'not_rpc'])('is found after an invalid line (%s)', async (toolName) => {
    const { connection } = await connectTo(faulty());
    expect(textOf(await callTool(connection, toolName))).toBe('after nonsense');
  });

  test('that is a JSON-RPC error fails with its code and without its text', async () => {
    const { connection, log } = await connectTo(faulty());
    const error = await callFailure(callTool(connection, 'rpc_error'));
    expect(error).toMatchObject({ errorType: 'upstream_error', jsonRpcCode: -32_050 });
    expect(error.cause).toBeUndefined();
    const everything = JSON.stringify([error.message, error.stack, { ...error }, log.lines]);
    expect(everything).not.toContain('secret-token');
  });
});

describe('a call that hangs', () => {
  test('ends when its signal aborts, and the server receives a cancellation', async () => {
    const { connection } = await connectTo(faulty());
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await callTool(connection, 'pid');
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    const cancellations = JSON.parse(textOf(await callTool(connection, 'cancelled')));
    expect(cancellations).toEqual([{ requestId: expect.any(Number), reason: 'Error: deadline' }]);
  });

  test('is not sent if its signal has aborted before', async () => {
    const { connection } = await connectTo(faulty());
    expect((await callFailure(callTool(connection, 'die', {}, { signal: AbortSignal.abort() }))).errorType).toBe(
      'cancelled',
    );
    expect(textOf(await callTool(connection, 'cancelled'))).toBe('[]');
  });
});

describe('a list of tools', () => {
  test('keeps the valid definitions, the first of each name, and counts the others', async () => {
    const { connection, log, toolChanges } = await connectTo(faulty('broken-list'));
    const names = connection.tools().map(({ toolName }) => toolName);
    expect(names.filter((name) => name === 'twin')).toHaveLength(1);
    expect(connection.tools()[0]).toMatchObject({ toolName: 'twin', description: 'Does twin.' });
    expect(names).toContain('hang');
    expect(names).toContain('no_schema');
    expect(connection.status().toolsRefusedCount).toBe(5);
    expect(toolChanges[0]?.refused).toBe(5);
    expect(log.lines.find(({ message }) => /refused/.test(message))?.fields).toEqual({
      server_id: 'upstream',
      broken_count: 4,
      duplicate_count: 1,
      over_limit_count: 0,
      invalid_header_count: 0,
      too_long_count: 0,
    });
  });

  test.each([
    ['whose last page has an empty cursor', 'empty-cursor', ['page_1', 'page_2', 'last']],
    ['whose cursors repeat', 'circular-cursors', ['page_1', 'page_2', 'page_3', 'page_4']],
  ])('%s ends there', async (_title, mode, names) => {
    const { connection } = await connectTo(faulty(mode));
    expect(connection.tools().map(({ toolName }) => toolName)).toEqual(names);
  });

  test('without an end is truncated at the limit', async () => {
    const { connection } = await connectTo(faulty('endless-pages'), quickLimits({ toolsPerServerMax: 25 }));
    expect(connection.tools()).toHaveLength(25);
    expect(connection.status().toolsRefusedCount).toBeGreaterThan(0);
  });

  test('is fetched again after a change notification', async () => {
    const { connection, toolChanges } = await connectTo(faulty());
    const before = connection.tools().length;
    await callTool(connection, 'change_tools', { count: 3 });
    await waitFor(() => expect(connection.tools()).toHaveLength(before + 3));
    await callTool(connection, 'change_tools', { count: 0 });
    await waitFor(() => expect(connection.tools()).toHaveLength(before));
    expect(toolChanges).toHaveLength(3);
  });

  test('is fetched once for many change notifications, and not reported if it is unchanged', async () => {
    using clock = useFakeClock();
    const file = await temporaryFile();
    const { connection, toolChanges } = await connectTo(faulty('count-lists', file));
    await callTool(connection, 'announce_often');
    await clock.advance(200);
    await waitFor(async () => expect(await readFile(file, 'utf8')).toBe('2'));
    await clock.advance(200);
    await callTool(connection, 'pid');
    expect(await readFile(file, 'utf8')).toBe('2');
    expect(toolChanges).toHaveLength(1);
  });
});
