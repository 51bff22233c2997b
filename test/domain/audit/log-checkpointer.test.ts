/** Checkpoints of the journal: when they are signed, what they cover, and where they are stored. */
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLogCheckpointer } from '../../../src/domain/audit/log-checkpointer.ts';
import { openCheckpoint } from '../../../src/journal/checkpoint.ts';
import { openCheckpointFiles } from '../../../src/journal/checkpoint-files.ts';
import { noteSigner, verifierOf } from '../../../src/journal/signed-note.ts';
import { leafHash, openLogTree } from '../../../src/journal/tree.ts';
import type { HubEvent } from '../../../src/shapes/event.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import { readLines } from '../../support/hub/hub.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const origin = 'example.com/log';
const signer = noteSigner(origin, generateKeyPairSync('ed25519').privateKey);

/** A tree that grows like a journal's, and a checkpointer over it. */
async function openTestLog({ checkpointRecords = 1000, checkpointSeconds = 60 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-checkpoint-'));
  folders.push(folder);
  const directory = join(folder, 'journal');
  const headFile = join(folder, 'elsewhere', 'audit.head');
  const tree = await openLogTree({ directory, size: 0, firstStored: 0, readLeaves: async function* () {} });
  const log = await openLog({ file: join(folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
  const listeners: ((size: number) => void)[] = [];
  const reported: HubEvent[] = [];
  const calls: string[] = [];
  const faults: Error[] = [];
  const open = async () =>
    createLogCheckpointer({
      journal: {
        tree,
        sync: async () => {
          calls.push(`sync at ${tree.size()}`);
          const fault = faults.shift();
          if (fault !== undefined) throw fault;
        },
        onAppended: (listener) => listeners.push(listener),
      },
      files: await openCheckpointFiles({ directory, headFile }),
      origin,
      signers: () => [signer],
      report: (event) => reported.push(event),
      log,
      settings: { checkpointRecords, checkpointSeconds },
      now: () => Date.UTC(2026, 0, 1),
    });
  return {
    checkpointer: await open(),
    reopened: open,
    tree,
    headFile,
    reported,
    calls,
    faults,
    append: (count: number) => {
      for (let left = count; left > 0; left -= 1) tree.append(leafHash(`record ${tree.size()}`));
      for (const listener of listeners) listener(tree.size());
    },
    file: (name: string) => join(directory, name),
    read: (name: string) => readFileSync(join(directory, name), 'utf8'),
    lines: () =>
      readFileSync(join(directory, 'checkpoints.ndjson'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    logLines: () => readLines(join(folder, 'hestia.log')),
  };
}

const opened = (note: string) => openCheckpoint(note, { origin, verifiers: [verifierOf(signer.vkey)] });

describe('a checkpoint', () => {
  test('signs the tree in memory, and is stored in the journal, outside of it, and reported', async () => {
    const log = await openTestLog();
    log.append(300);
    await log.checkpointer.runNow();
    const note = log.read('checkpoint');
    expect(opened(note)).toMatchObject({ size: 300, root: log.tree.root() });
    expect(log.lines()).toEqual([{ size: 300, time: '2026-01-01T00:00:00.000Z', note }]);
    expect(readFileSync(log.headFile, 'utf8')).toBe(note);
    expect(log.reported).toEqual([
      { kind: 'change', name: 'AUDIT_CHECKPOINT', fields: { audit_seq: 300, checkpoint: note } },
    ]);
    expect(log.checkpointer.newest()?.note).toBe(note);
  });

  test('is not signed before its records are on the disk, and does not cover what is appended meanwhile', async () => {
    const log = await openTestLog();
    log.append(3);
    const root = log.tree.root();
    const running = log.checkpointer.runNow();
    await expect.poll(() => log.calls).toEqual(['sync at 3']);
    log.append(2);
    await running;
    expect(opened(log.read('checkpoint'))).toMatchObject({ size: 3, root });
    expect(log.checkpointer.uncovered()).toBe(2);
  });

  test('is not signed without new records', async () => {
    const log = await openTestLog();
    await log.checkpointer.runNow();
    expect(log.checkpointer.newest()).toBeUndefined();
    log.append(1);
    await log.checkpointer.runNow();
    await log.checkpointer.runNow();
    expect(log.lines()).toHaveLength(1);
  });

  test('is due after the configured number of records, or seconds after the first of them', async () => {
    const log = await openTestLog({ checkpointRecords: 4, checkpointSeconds: 1 });
    const size = async () => {
      await log.checkpointer.runDue();
      return log.checkpointer.newest()?.size;
    };
    log.append(3);
    expect(await size()).toBeUndefined();
    expect(log.checkpointer.uncovered()).toBe(3);
    log.append(1);
    expect(await size()).toBe(4);
    log.append(1);
    expect(await size()).toBe(4);
    await expect.poll(size, { timeout: 5000 }).toBe(5);
    log.append(1);
    expect(await size()).toBe(5);
  });

  test('that cannot be signed stays due, and covers nothing', async () => {
    const log = await openTestLog({ checkpointSeconds: 1 });
    log.append(1);
    log.faults.push(new Error('the disk is full'));
    const failing = async () => log.checkpointer.runDue().catch(({ message }) => message);
    await expect.poll(failing, { timeout: 5000 }).toBe('the disk is full');
    expect(log.checkpointer.uncovered()).toBe(1);
    await log.checkpointer.runDue();
    expect(log.checkpointer.newest()?.size).toBe(1);
  });

  test('is signed at once when the records are there, while the checkpointer is started', async () => {
    const log = await openTestLog({ checkpointRecords: 4 });
    log.checkpointer.start();
    log.append(4);
    await expect.poll(() => log.checkpointer.newest()?.size, { timeout: 900 }).toBe(4);
    log.append(1);
    await log.checkpointer.stop();
    expect(log.checkpointer.newest()?.size).toBe(5);
  });

  test('continues after a restart, also if its last line was not written completely', async () => {
    const log = await openTestLog();
    log.append(3);
    await log.checkpointer.runNow();
    appendFileSync(log.file('checkpoints.ndjson'), '{"size":4,"ti');
    const again = await log.reopened();
    expect(again.newest()?.size).toBe(3);
    log.append(3);
    expect(again.uncovered()).toBe(3);
    await again.runNow();
    expect(log.lines().map(({ size }) => size)).toEqual([3, 6]);
  });

  test('whose second copy cannot be written is reported once, and written when it can be', async () => {
    const log = await openTestLog();
    const folder = join(log.headFile, '..');
    writeFileSync(folder, '');
    log.append(1);
    log.checkpointer.start();
    await log.checkpointer.runNow().catch(() => undefined);
    expect(log.checkpointer.newest()?.size).toBe(1);
    await expect.poll(() => log.logLines().length, { timeout: 3000 }).toBe(1);
    rmSync(folder);
    mkdirSync(folder);
    await expect
      .poll(() => readFileSync(log.headFile, { encoding: 'utf8', flag: 'a+' }), { timeout: 3000 })
      .not.toBe('');
    await log.checkpointer.stop();
    expect(log.lines()).toHaveLength(1);
    expect(log.logLines()).toMatchObject([{ level: 'error' }]);
  });
});

describe('cosignatures', () => {
  test('are kept with their checkpoint, and after a restart', async () => {
    const log = await openTestLog();
    log.append(1);
    const signed: Parameters<typeof log.checkpointer.addCosignatures>[0][] = [];
    log.checkpointer.onSigned((checkpoint) => signed.push(checkpoint));
    await log.checkpointer.runNow();
    const [first = raise()] = signed;
    await log.checkpointer.addCosignatures(first, ['— w1 AAAAAAAA\n']);
    await log.checkpointer.addCosignatures(first, ['— w1 AAAAAAAA\n', '— w2 AAAAAAAA\n']);
    const note = `${first.note}— w1 AAAAAAAA\n— w2 AAAAAAAA\n`;
    expect(log.checkpointer.newest()?.note).toBe(note);
    expect(log.read('checkpoint')).toBe(note);
    log.append(1);
    await log.checkpointer.runNow();
    expect(opened(log.checkpointer.newest()?.note ?? '').note.unverified).toEqual([]);
    const again = await log.reopened();
    expect(again.newestCosigned()).toMatchObject({ size: 1, note });
    expect(again.newest()?.size).toBe(2);
  });
});

describe('stored checkpoints, after retention', () => {
  test('are those over at least the deleted records, and the newest of each file', async () => {
    const log = await openTestLog();
    for (const count of [3, 4, 5]) {
      log.append(count);
      await log.checkpointer.runNow();
      const line = log.checkpointer.newest();
      if (line?.size === 3)
        await log.checkpointer.addCosignatures({ ...opened(line.note), ...line }, ['— w1 AAAAAAAA\n']);
    }
    const cosigned = log.read('cosigned.ndjson');
    const kept: [number, number[]][] = [
      [0, [3, 7, 12]],
      [3, [3, 7, 12]],
      [4, [7, 12]],
      [13, [12]],
    ];
    for (const [size, sizes] of kept) {
      await log.checkpointer.prune(size);
      expect(log.lines().map((line) => line.size)).toEqual(sizes);
      expect(log.read('cosigned.ndjson')).toBe(cosigned);
    }
    log.append(1);
    await log.checkpointer.runNow();
    expect(log.lines().map((line) => [line.size, opened(line.note).size])).toEqual([
      [12, 12],
      [13, 13],
    ]);
    const again = await log.reopened();
    expect([again.newest()?.size, again.newestCosigned()?.size]).toEqual([13, 3]);
  });
});

function raise(): never {
  throw new Error('nothing was signed');
}
