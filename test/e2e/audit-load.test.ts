/**
 * A hub under load, and the audit afterwards. Answers, counters, spans, log records and audit records agree.
 * The export verifies offline with the public key, against a checkpoint that the collector received.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportedLines, exportedRecords } from '../support/audit-export.ts';
import { json } from '../support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import { runCommand } from '../support/programs/command-run.ts';
import { realServer } from '../support/servers/real-server.ts';

const callers = 24;
const callsEach = 10;
const calls = callers * callsEach;

let observed: ObservedHub;
beforeAll(async () => {
  observed = await startObservedHub(
    { everything: realServer('everything') },
    { file: { audit: { checkpointRecords: 50, checkpointSeconds: 1 } } },
  );
}, 60_000);
afterAll(() => observed[Symbol.asyncDispose]());

const audit = (...words: string[]) =>
  runCommand(['audit', ...words, '--url', observed.hub.url, '--key', observed.hub.key()]);
const file = (name: string) => join(observed.hub.folder, name);

describe('concurrent callers', () => {
  test('cause exactly one answer, span, log record, count and audit record for each call', async () => {
    const answered: string[] = [];
    const caller = async () => {
      for (let index = 0; index < callsEach; index += 1) {
        const response = await observed.hub.fetch('/v1/tools/everything/echo/call', {
          json: { arguments: { message: `${index}` } },
        });
        answered.push((await json(response)).callId);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const outcomes = (await exportedRecords(observed.hub)).filter(({ event }) => event === 'TOOL_OUTCOME');
    expect(outcomes.map(({ fields }) => fields.call_id).toSorted()).toEqual(answered.toSorted());
    const { receiver } = observed;
    await receiver.waitFor(() => observed.total('hestia.tool.outcomes') === calls);
    const spans = await receiver.waitFor(() => {
      const found = receiver.spans().filter(({ name }) => name === 'tools/call echo');
      return found.length >= calls ? found : undefined;
    });
    const logged = await receiver.waitFor(() => {
      const found = receiver.logRecords().filter(({ attributes }) => attributes.event === 'Tool outcome recorded');
      return found.length >= calls ? found : undefined;
    });
    const ids = (items: readonly { spanId: string }[]) => items.map(({ spanId }) => spanId).toSorted();
    expect(ids(spans)).toEqual(outcomes.map(({ span_id: spanId }) => spanId).toSorted());
    expect(ids(logged.map(({ spanId }) => ({ spanId: spanId ?? '' })))).toEqual(ids(spans));
  }, 60_000);

  test('leave no gap between counters and audit trail', async () => {
    const { lastSeq } = await json(observed.hub.fetch('/v1/audit/verify'));
    await observed.receiver.waitFor(() => observed.total('hestia.audit.records') === lastSeq);
    expect(observed.total('hestia.audit.gap')).toBe(0);
    await observed.receiver.waitFor(() => observed.total('hestia.audit.uncovered') === 0);
  });
});

/** The checkpoint with a root of other records, and the signatures that it had. */
const ofOtherRecords = (note: string) =>
  note.replace(/(\n|\\u000a)[\w+/]{43}=/, `$1${Buffer.alloc(32).toString('base64')}`);

describe('the auditor', () => {
  /** The checkpoints that the collector received, the latest first. */
  const collected = () =>
    observed.receiver
      .logRecords()
      .map(({ attributes }) => attributes.checkpoint)
      .filter((checkpoint) => typeof checkpoint === 'string')
      .toReversed();

  beforeAll(async () => {
    await writeFile(file('key.json'), await (await observed.hub.fetch('/v1/audit/key')).text());
    await writeFile(file('key.pem'), (await json(observed.hub.fetch('/v1/audit/key'))).public_key);
    await writeFile(file('export.ndjson'), `${(await exportedLines(observed.hub)).join('\n')}\n`);
    await observed.receiver.waitFor(() => collected().length > 0);
  });

  test('verifies the export offline with the public key and a checkpoint from the collector', async () => {
    const [checkpoint = ''] = collected();
    for (const key of ['key.pem', 'key.json']) {
      const words = [
        'audit',
        'verify',
        '--file',
        file('export.ndjson'),
        '--public-key',
        file(key),
        '--checkpoint',
        checkpoint,
      ];
      const verified = await runCommand(words, { isTerminal: true });
      expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
      expect(verified.stdout).toMatch(
        /^intact: \d+ records and \d+ checkpoints checked, 1 to \d+\nkey hestia\/writer_[0-9a-f]{32}\+[0-9a-f]{8}\+\S+\n$/,
      );
    }
  });

  test('gets the place and the reason of a broken export', async () => {
    const text = (await exportedLines(observed.hub)).join('\n');
    const cut = text.slice(0, text.lastIndexOf('\n{"checkpoints"'));
    const changed = text.replace('"tool_name":"echo"', '"tool_name":"ecko"');
    const notText = Buffer.concat([Buffer.from(text), Buffer.from([0xff])]);
    for (const [content, line] of [
      [cut, /the audit trail does not hold: record \d+: the end of the export is missing/],
      [
        changed,
        /the audit trail does not hold: records \d+ to \d+, checkpoint over \d+, line \d+: these are not the records that it signs/,
      ],
      [notText, /is not UTF-8/],
      ['', /there are no lines/],
    ] as const) {
      await writeFile(file('bad.ndjson'), content);
      const words = ['audit', 'verify', '--file', file('bad.ndjson'), '--public-key', file('key.pem')];
      const verified = await runCommand(words);
      expect(verified.exitCode).toBe(1);
      expect(verified.stderr).toMatch(line);
      expect(verified.stderr.split('\n')).toHaveLength(2);
    }
  });

  test('verifies the live hub, its key, and that it only added to a checkpoint from the collector', async () => {
    const first = collected().at(-1) ?? '';
    const verified = await audit('verify', '--public-key', file('key.pem'), '--checkpoint', first);
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    const other = await audit('verify', '--public-key', file('key.pem'), '--checkpoint', ofOtherRecords(first));
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('no valid signature of a trusted key')]);
    const unkept = await audit('verify', '--public-key', file('key.pem'), '--checkpoint', '{"checkpoint":"none"}');
    expect([unkept.exitCode, unkept.stderr]).toEqual([1, expect.stringContaining('not a signed note')]);
  });

  test('proves a single record', async () => {
    const proven = await audit('prove', '7', '--public-key', file('key.pem'));
    expect(proven).toMatchObject({ exitCode: 0, stderr: '' });
    expect(proven.lines()[0]).toMatchObject({
      seq: 7,
      proof: expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\nindex 6\n/),
    });
    expect((await audit('prove', '999999', '--public-key', file('key.pem'))).exitCode).toBe(1);
  });

  test('exports the same records as OCSF', async () => {
    const records = (await exportedRecords(observed.hub)).length;
    const events = (await audit('export', '--format', 'ocsf')).lines();
    expect(events).toHaveLength(records);
    expect(events[0]).toMatchObject({ metadata: { version: '1.2.0', sequence: 1 } });
  });

  test.each([
    [['--public-key', '/no/such/key'], '--public-key: cannot read /no/such/key (ENOENT)'],
    [['--checkpoint', '{"number":1}'], '--checkpoint: holds no checkpoint'],
    [['--file', '/no/such/export'], '--file: cannot read /no/such/export (ENOENT)'],
  ])('gets a usage error for %j', async (words, message) => {
    const ended = await audit('verify', ...words);
    expect([ended.exitCode, ended.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
