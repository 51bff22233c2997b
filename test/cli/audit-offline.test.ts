/** `hestia audit` without a hub: exports, journals, keys, checkpoints kept elsewhere, and a trail that is set aside. */
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createAuditProver } from '../../src/domain/audit/verification/prover.ts';
import { trustedKey } from '../../src/domain/data-offline.ts';
import { type CheckpointRange, readCheckpoints } from '../../src/journal/checkpoint-reader.ts';
import { lockDataDirectory } from '../../src/stores/data-lock.ts';
import { exportLines, newSigner, noteOver, testRecords } from '../support/audit/export-lines.ts';
import { createTestJournal } from '../support/audit/test-journal.ts';
import { runCommand } from '../support/programs/command-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'hestia-audit-offline-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const written = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const signer = newSigner();
const records = testRecords(20);
const checkpoints = [
  { size: 8, signers: [signer] },
  { size: 20, signers: [signer] },
];
const exported = (lines: readonly string[]) => written('export.ndjson', `${lines.join('\n')}\n`);
const whole = () => exported(exportLines({ records, checkpoints }));
const keyFile = written('audit.vkey', `${signer.vkey}\n`);
const verify = (...words: string[]) => runCommand(['audit', 'verify', ...words]);

describe('audit verify --file', () => {
  test('accepts an export that holds, with the key in each form', async () => {
    const der = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(signer.vkey.split('+').slice(2).join('+'), 'base64').subarray(1),
    ]);
    const pem = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' });
    const answer = { origin: 'hestia/test', algorithm: 'Ed25519', key_id: '', public_key: pem, vkeys: [signer.vkey] };
    for (const key of [keyFile, written('key.pem', pem.toString()), written('key.json', JSON.stringify(answer))]) {
      const { exitCode, stderr, lines } = await verify('--file', whole(), '--public-key', key);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(lines()).toMatchObject([{ intact: true, recordsChecked: 20, checkpointsChecked: 2, recordsUncovered: 0 }]);
    }
  });

  test('refuses a forged export whose checkpoints were dropped, with the right key', async () => {
    const forged = records.with(4, (records[4] ?? '').replace('billing-bot', 'someone-else'));
    const { exitCode, stderr } = await verify(
      '--file',
      exported(exportLines({ records: forged, checkpoints: [], vkeys: [signer.vkey] })),
      '--public-key',
      keyFile,
    );
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr:
        'hestia: the audit trail does not hold: records 1 to 20: no checkpoint of a trusted key covers any record\n',
    });
  });

  test('refuses an emptied export and a truncated one', async () => {
    const lines = exportLines({ records, checkpoints });
    const cut = await verify('--file', exported(lines.slice(0, 15)), '--public-key', keyFile);
    expect([cut.exitCode, cut.stderr]).toEqual([1, expect.stringContaining('was cut off')]);
    const emptied = await verify(
      '--file',
      exported(exportLines({ records: [], checkpoints: [], vkeys: [signer.vkey] })),
      '--public-key',
      keyFile,
    );
    expect([emptied.exitCode, emptied.stderr]).toEqual([1, expect.stringContaining('the trail has no records')]);
  });

  test('accepts an unsigned tail only if asked to, and says how long it is', async () => {
    const file = exported(exportLines({ records, checkpoints: checkpoints.slice(0, 1) }));
    const refused = await verify('--file', file, '--public-key', keyFile);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('records 9 to 20')]);
    const accepted = await verify('--file', file, '--public-key', keyFile, '--allow-unsigned-tail');
    expect(accepted.exitCode).toBe(0);
    expect(accepted.lines()).toMatchObject([{ intact: true, recordsUncovered: 12 }]);
  });

  test('refuses a file that holds no key, and an export beside a journal', async () => {
    const noKey = await verify('--file', whole(), '--public-key', written('none.pem', 'no key'));
    expect([noKey.exitCode, noKey.stderr]).toEqual([2, expect.stringContaining('does not hold an Ed25519 public key')]);
    expect((await verify('--file', whole(), '--journal', folder)).exitCode).toBe(2);
  });
});

describe('audit verify --checkpoint', () => {
  const note = noteOver(records, [signer]);
  const older = exportLines({ records: records.slice(0, 8), checkpoints: checkpoints.slice(0, 1) });
  const logLine = (fields: object) => JSON.stringify({ level: 'info', message: 'Audit checkpoint', ...fields });
  const against = (checkpoint: string, lines = older) =>
    verify('--file', exported(lines), '--public-key', keyFile, '--checkpoint', checkpoint);

  test.each([
    ['the head file', () => written('audit.head', note)],
    ['a line of checkpoints.ndjson', () => JSON.stringify({ size: 20, time: '2026-01-01T00:00:00.000Z', note })],
    ['a line of the log', () => written('one.log', logLine({ change_event: 'AUDIT_CHECKPOINT', checkpoint: note }))],
    [
      'a line of the log, which escapes control characters',
      () =>
        written('two.log', logLine({ change_event: 'AUDIT_CHECKPOINT', checkpoint: note.replaceAll('\n', '\\u000a') })),
    ],
    ['a result of Loki', () => JSON.stringify({ checkpoint: note })],
  ])('reveals an older copy by %s', async (_form, source) => {
    const { exitCode, stderr } = await against(source());
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('an older copy was put back')]);
    expect((await against(source(), exportLines({ records, checkpoints }))).exitCode).toBe(0);
  });

  test('selects checkpoints in a log by their field, not by their text', async () => {
    const log = [
      logLine({ tool_name: 'AUDIT_CHECKPOINT', message: 'AUDIT_CHECKPOINT {"checkpoint":"x"}' }),
      logLine({ security_event: 'ACCESS_DENIED', target: 'tool:AUDIT_CHECKPOINT' }),
      logLine({ change_event: 'SKILL_CHANGED', checkpoint: 'not a note' }),
      logLine({ change_event: 'AUDIT_CHECKPOINT', checkpoint: note }),
      logLine({ change_event: 'AUDIT_CHECKPOINT', checkpoint: '{"type":"hestia.audit.checkpoint/1"}' }),
    ];
    const file = written('hestia.log', `${log.join('\n')}\n`);
    expect(await against(file, exportLines({ records, checkpoints }))).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await against(file)).exitCode).toBe(1);
  });

  test('refuses a log without a checkpoint, a line that is no object, and a checkpoint event without one', async () => {
    const good = logLine({ change_event: 'AUDIT_CHECKPOINT', checkpoint: note });
    const bad = written('half.log', `${good}\n${logLine({ change_event: 'AUDIT_CHECKPOINT' })}\n`);
    expect((await against(bad, exportLines({ records, checkpoints }))).exitCode).toBe(2);
    for (const line of [
      logLine({ tool_name: 'AUDIT_CHECKPOINT' }),
      '{ AUDIT_CHECKPOINT',
      logLine({ change_event: 'AUDIT_CHECKPOINT' }),
    ])
      expect((await against(written('bad.log', `${line}\n`))).exitCode).toBe(2);
  });

  test('does not believe a checkpoint of another key', async () => {
    const forged = JSON.stringify({ note: noteOver(records, [newSigner()]) });
    const { exitCode, stderr } = await against(forged, exportLines({ records, checkpoints }));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('no valid signature of a trusted key')]);
  });
});

describe('audit verify --journal', () => {
  test('verifies the folder of a stopped hub, and names what was changed', async () => {
    using journal = createTestJournal();
    const open = await journal.open();
    await open.write(300, { agent_id: 'billing-bot' });
    await open.close();
    const key = written('journal.vkey', journal.signer.vkey);
    const words = ['--journal', journal.directory, '--public-key', key, '--checkpoint', journal.headFile];
    const whole = await verify(...words);
    expect([whole.stderr, whole.lines()]).toMatchObject(['', [{ intact: true, recordsChecked: 300 }]]);
    const segment = journal.segments()[1] ?? '';
    const seq = Number.parseInt(segment, 10) + 1;
    journal.rewrite(segment, (text) => text.replace('billing-bot', 'billing-bat'));
    const changed = await verify(...words);
    expect([changed.exitCode, changed.stderr]).toEqual([
      1,
      `hestia: the audit trail does not hold: record ${seq}, checkpoint over 300, segments/${segment}: its bytes were changed: the tile has the hash of others\n`,
    ]);
  });

  test('needs a key and a folder', async () => {
    expect((await verify('--journal', folder)).exitCode).toBe(2);
    const missing = await verify('--journal', join(folder, 'missing'), '--public-key', keyFile);
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('(ENOENT)')]);
  });
});

describe('audit verify-proof', () => {
  /** A proof of record 5 of a journal of 20, as `audit prove --output` writes it. */
  const saved = async () => {
    using journal = createTestJournal();
    const open = await journal.open();
    await open.write(20, { agent_id: 'billing-bot' });
    await open.checkpointer.runNow();
    const checkpoints = (range: CheckpointRange) => readCheckpoints(journal.directory, range);
    const prover = createAuditProver({ journal: open.journal, checkpoints, newest: open.files.newest });
    const { line, proof } = await prover.inclusion(5, undefined);
    await open.close();
    return { line, proof, key: written('proof.vkey', journal.signer.vkey) };
  };
  const verifyProof = ({ line, proof, key }: { line: string; proof: string; key: string }) =>
    runCommand([
      ...['audit', 'verify-proof', written('record.json', line), written('record.tlog-proof', proof)],
      ...['--public-key', key],
    ]);

  test('accepts a record and its proof, also with the newline of the journal', async () => {
    const { line, ...proof } = await saved();
    for (const text of [line, `${line}\n`]) {
      const { exitCode, stderr, lines } = await verifyProof({ line: text, ...proof });
      expect([exitCode, stderr, lines()]).toMatchObject([0, '', [{ seq: 5, line, proof: proof.proof }]]);
    }
  });

  test('refuses a changed record, another number, a changed proof and another key', async () => {
    const proof = await saved();
    const changes: [Partial<typeof proof>, string][] = [
      [{ line: proof.line.replace('billing-bot', 'billing-bat') }, 'does not lead from the record'],
      [{ line: proof.line.replace('"seq":5', '"seq":6') }, 'it is for record 6 at place 5'],
      [{ proof: proof.proof.replace('index 4', 'index 5') }, 'it is for record 5 at place 6'],
      [{ proof: 'no proof' }, 'the text is not a proof'],
      [{ key: keyFile }, 'no valid signature of a trusted key'],
    ];
    for (const [change, reason] of changes) {
      const { exitCode, stderr } = await verifyProof({ ...proof, ...change });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(reason)]);
    }
  });

  test('needs both files and a key', async () => {
    const { key } = await saved();
    const missing = ['audit', 'verify-proof', join(folder, 'missing'), join(folder, 'missing')];
    const { exitCode, stderr } = await runCommand([...missing, '--public-key', key]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('<record>: cannot read')]);
    expect((await runCommand(missing)).exitCode).toBe(2);
  });
});

describe('audit start-new', () => {
  const dataFolder = () => {
    const data = mkdtempSync(join(folder, 'data-'));
    mkdirSync(join(data, 'journal', 'segments'), { recursive: true });
    for (const name of [
      'journal/checkpoint',
      'views.db',
      'views.db-wal',
      'audit-signing.key',
      'audit-signing.0a1b2c3d.key',
      'audit-digest.key',
      'audit.head',
      'operator.key',
    ])
      writeFileSync(join(data, name), name);
    return data;
  };

  test('moves the journal, its views, its head and its keys, and nothing else', async () => {
    const data = dataFolder();
    const { exitCode, lines } = await runCommand(['audit', 'start-new', '--data', data]);
    expect(exitCode).toBe(0);
    const aside = String(lines()[0]?.folder);
    expect(readdirSync(aside).sort()).toEqual([
      'audit-signing.0a1b2c3d.key',
      'audit-signing.key',
      'audit.head',
      'journal',
      'views.db',
      'views.db-wal',
    ]);
    expect(readFileSync(join(aside, 'journal', 'checkpoint'), 'utf8')).toBe('journal/checkpoint');
    expect(
      readdirSync(data)
        .filter((name) => !name.startsWith('audit-set-aside'))
        .sort(),
    ).toEqual(['audit-digest.key', 'hestia.db.lock', 'operator.key']);
  });

  test('moves a head file that is elsewhere', async () => {
    const data = dataFolder();
    const headFile = written('elsewhere.head', 'head');
    await runCommand(['audit', 'start-new', '--data', data, '--head-file', headFile]);
    expect(existsSync(headFile)).toBe(false);
    expect(existsSync(join(data, 'audit.head'))).toBe(true);
  });

  test('refuses while a hub uses the data directory, and where there is no trail', async () => {
    const data = dataFolder();
    using _hub = lockDataDirectory({ databaseFile: join(data, 'hestia.db') });
    const used = await runCommand(['audit', 'start-new', '--data', data]);
    expect([used.exitCode, used.stderr]).toEqual([
      1,
      expect.stringContaining('another hub is using this data directory'),
    ]);
    expect(existsSync(join(data, 'journal'))).toBe(true);
    const none = await runCommand(['audit', 'start-new', '--data', mkdtempSync(join(folder, 'none-'))]);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('there is no audit trail')]);
  });
});

test('a verifier key of another kind, or with a changed byte, is refused', () => {
  expect(() => trustedKey(signer.vkey.replace('+', '+0'))).toThrow('verifier key');
  expect(() => trustedKey('hestia/test')).toThrow('verifier key');
});
