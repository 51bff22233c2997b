import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HestiaError } from '../../src/shapes/error.ts';
import type { HubEvent } from '../../src/shapes/event.ts';
import { createEventReport } from '../../src/telemetry/event-report.ts';
import { openLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { openSpan } from '../../src/telemetry/span.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-log-'));
  file = join(folder, 'hestia.log');
});
afterEach(() => rm(folder, { recursive: true }));

async function written(write: (log: Awaited<ReturnType<typeof openLog>>) => void, level: 'debug' | 'info' = 'info') {
  const log = await openLog({ file, level, standardOutput: 'none' });
  write(log);
  await log.close();
  return (await readFile(file, 'utf8')).trimEnd().split('\n');
}

describe('a log line', () => {
  test('is one JSON object with time, level, message and flat fields', async () => {
    const [line] = await written((log) =>
      log.info('Something happened', { tool_name: 'echo', latency_ms: 1.5, left_out: undefined }),
    );
    expect(JSON.parse(line ?? '')).toEqual({
      level: 'info',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      message: 'Something happened',
      tool_name: 'echo',
      latency_ms: 1.5,
    });
  });

  test.each(['a\nb', 'a\r\nb', '\u001b[2Jgone', 'a\u0085b', 'a\u2028b', 'safe\u202egnp.exe', 'a\u0000b', '\u009b31m'])(
    'cannot be forged or hidden by %j, in message or field',
    async (text) => {
      const lines = await written((log) => log.warn(text, { skill_name: text }));
      expect(lines).toHaveLength(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
      expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      const { message, skill_name } = JSON.parse(lines[0] ?? '');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
      expect(`${message}${skill_name}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    },
  );

  test('of a failure has its code, its causes and its stack, truncated', async () => {
    const error = new HestiaError('STORAGE_FAILED', 'it could not be written', {
      internal: 'disk 7',
      cause: new Error('x'.repeat(10_000)),
    });
    const [line] = await written((log) => log.error('A request failed', {}, { error }));
    const parsed = JSON.parse(line ?? '');
    expect(parsed).toMatchObject({
      exception_type: 'STORAGE_FAILED',
      exception_message: expect.stringContaining('it could not be written: disk 7: x'),
    });
    expect(parsed.exception_message.length).toBeLessThanOrEqual(4096);
  });

  test('has the time and order of its call, not of its formatting', async () => {
    const before = Date.now();
    const lines = await written((log) => {
      log.info('first');
      log.info('second');
      while (Date.now() < before + 20);
    });
    const [first, second] = lines.map((line) => JSON.parse(line));
    expect([first.message, second.message]).toEqual(['first', 'second']);
    expect(Date.parse(first.timestamp)).toBeLessThan(before + 20);
  });

  test('below the level is not written', async () => {
    expect(await written((log) => log.debug('nothing'))).toEqual(['']);
    expect(await written((log) => log.debug('something'), 'debug')).toHaveLength(1);
  });

  test('is lost on a full disk, and the log can still be closed', async () => {
    const log = await openLog({ file: '/dev/full', level: 'info', standardOutput: 'none' });
    log.info('lost');
    await expect(log.close()).resolves.toBeUndefined();
    expect(() => log.info('after the end')).not.toThrow();
  });

  test('cannot be written to a file that cannot be opened: opening fails and names the file', async () => {
    const opening = openLog({ file: join(folder, 'no', 'such', 'folder.log'), level: 'info', standardOutput: 'none' });
    await expect(opening).rejects.toThrow(/^HESTIA_LOG_FILE: cannot open .*folder\.log$/);
  });
});

describe('an event', () => {
  test.each([
    [
      { kind: 'security', name: 'SKILL_CHANGED', failed: false, fields: { skill_name: 'a' } },
      { level: 'info', security_event: 'SKILL_CHANGED', skill_name: 'a' },
    ],
    [
      { kind: 'security', name: 'AUTH_FAILED', failed: true, fields: {} },
      { level: 'warn', security_event: 'AUTH_FAILED' },
    ],
    [
      { kind: 'monitoring', name: 'SCHEDULER_CLEANUP_FAILED', failed: true, fields: {} },
      { level: 'error', monitoring_event: 'SCHEDULER_CLEANUP_FAILED' },
    ],
    [
      { kind: 'tool_outcome', outcome: 'timeout', fields: { outcome: 'timeout' } },
      { level: 'warn', event: 'Tool outcome recorded', outcome: 'timeout' },
    ],
    [
      { kind: 'change', name: 'SKILL_PUBLISHED', fields: {} },
      { level: 'info', change_event: 'SKILL_PUBLISHED', message: 'Skill published' },
    ],
  ] as const)('%j has the level and fields of its kind', async (event, expected) => {
    const [line] = await written((log) =>
      createEventReport({ log, metrics: createMetrics() })(event, openSpan('test', {})),
    );
    expect(JSON.parse(line ?? '')).toMatchObject(expected);
  });

  const call = { tool_name: 'add_numbers', server_id: 'everything', agent_id: 'billing-bot' };
  const timeout = { ...call, latency_ms: 30_000, error_type: 'timeout' };
  test.each<[HubEvent, string]>([
    [
      { kind: 'tool_outcome', outcome: 'timeout', fields: timeout },
      'add_numbers on everything: timeout after 30 s, agent billing-bot',
    ],
    [
      { kind: 'tool_outcome', outcome: 'error', fields: { ...call, latency_ms: 51.6, error_type: 'tool_error' } },
      'add_numbers on everything: error (tool_error) after 52 ms, agent billing-bot',
    ],
    [
      {
        kind: 'security',
        name: 'ACCESS_DENIED',
        failed: true,
        fields: { agent_id: 'curious', role: 'agent', action: 'scheduler.run', error_type: 'role' },
      },
      'Security event: access denied: scheduler.run, agent curious, role',
    ],
    [
      {
        kind: 'security',
        name: 'SKILL_ACTIVATION_SUCCESS',
        failed: false,
        fields: { skill_name: 'invoices', version: 2, tool_name: 'skill_invoices', agent_id: 'operator' },
      },
      'Security event: skill activation success: invoices version 2, agent operator',
    ],
    [
      { kind: 'monitoring', name: 'SCHEDULER_CLEANUP_SUCCESS', failed: false, fields: { deleted_count: 7 } },
      'Scheduler event: scheduler cleanup success: 7 deleted',
    ],
    [{ kind: 'change', name: 'SKILL_PUBLISHED', fields: { skill_name: 'invoices' } }, 'Skill published: invoices'],
  ])('%j says in its message what happened, to what, and by whom', async (event, message) => {
    const [line] = await written((log) =>
      createEventReport({ log, metrics: createMetrics() })(event, openSpan('test', {})),
    );
    expect(JSON.parse(line ?? '')).toMatchObject({ message });
  });
});
