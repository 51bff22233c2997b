/** Checkpoints before a real witness over HTTP: cosigned, refused, in conflict, unavailable. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLogCheckpointer } from '../../../src/domain/audit/log-checkpointer.ts';
import { createLogWitnesses } from '../../../src/domain/audit/log-witnesses.ts';
import { openCheckpointFiles } from '../../../src/journal/checkpoint-files.ts';
import { noteSigner, openNote, verifierOf } from '../../../src/journal/signed-note.ts';
import { leafHash, openLogTree } from '../../../src/journal/tree.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import { readLines } from '../../support/hub/hub.ts';
import { startWitness, type TestWitness } from '../../support/witness-server.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const origin = 'example.com/log';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-witness-'));
  folders.push(folder);
  return folder;
}

/** A log of `size` records that submits its checkpoints to these witnesses. */
async function openTestLog(
  witnesses: { url: string; vkey: string }[],
  signer = newSigner(),
  { folder = newFolder(), size = 0 } = {},
) {
  const readLeaves = async function* (from: number, to: number) {
    for (let index = from; index < to; index += 1) yield leafHash(`record ${index}`);
  };
  const tree = await openLogTree({ directory: folder, size, firstStored: 0, readLeaves });
  const log = await openLog({ file: join(folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
  const checkpointer = createLogCheckpointer({
    journal: { tree, sync: async () => {}, onAppended: () => {} },
    files: await openCheckpointFiles({ directory: folder, headFile: join(folder, 'audit.head') }),
    origin,
    signers: () => [signer],
    report: () => {},
    log,
    settings: { checkpointRecords: 1000, checkpointSeconds: 60 },
    now: Date.now,
  });
  const counted: string[] = [];
  const submissions = createLogWitnesses({
    witnesses,
    checkpointer,
    tree,
    metrics: { witnessSubmission: (_witness, result) => counted.push(result) },
    log,
  });
  return {
    checkpointer,
    tree,
    counted,
    logLines: () => readLines(join(folder, 'hestia.log')),
    /** Appends records and signs them. */
    sign: async (count: number) => {
      for (let left = count; left > 0; left -= 1) tree.append(leafHash(`record ${tree.size()}`));
      await checkpointer.runNow();
    },
    [Symbol.asyncDispose]: async () => {
      await submissions[Symbol.asyncDispose]();
      await log.close();
    },
  };
}

const newSigner = () => noteSigner(origin, generateKeyPairSync('ed25519').privateKey);
const cosignedBy = (note: string | undefined, { vkey }: TestWitness) =>
  note !== undefined && openNote(note, [verifierOf(vkey)]).verified.length === 1;

describe('a witness', () => {
  test('cosigns each checkpoint after the one before, with a consistency proof, and the cosignature is kept', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    for (const count of [7, 300, 1, 256]) {
      await log.sign(count);
      const size = log.tree.size();
      await expect.poll(() => log.checkpointer.newestCosigned()?.size).toBe(size);
      expect(witness.latest()).toMatchObject({ size, root: log.tree.root() });
      expect(cosignedBy(log.checkpointer.newest()?.note, witness)).toBe(true);
    }
    expect(witness.statuses).toEqual([200, 200, 200, 200]);
    expect(log.counted).toEqual(['registered', ...Array(4).fill('cosigned')]);
  });

  test('that cosigned another size before reports it, and receives the proof from there', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    for (let index = 0; index < 20; index += 1) log.tree.append(leafHash(`record ${index}`));
    witness.setLatest({ size: 13, root: await log.tree.rootAt(13) });
    await log.sign(3);
    await expect.poll(() => log.checkpointer.newestCosigned()?.size).toBe(23);
    expect(witness.statuses).toEqual([409, 200]);
  });

  test('that saw another history refuses, which is counted and logged, and changes nothing else', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    witness.setLatest({ size: 5, root: leafHash('another history') });
    await log.sign(9);
    await expect.poll(() => log.counted.filter((result) => result === 'refused').length, { timeout: 5000 }).toBe(2);
    expect(witness.statuses.slice(0, 2)).toEqual([409, 422]);
    await expect.poll(() => log.logLines()).toMatchObject([{ level: 'warn', witness: 'witness.example/w1' }]);
    expect(log.checkpointer.newest()?.size).toBe(9);
    expect(log.checkpointer.newestCosigned()).toBeUndefined();
  });

  test('that saw more records than the log has is reported: the end of the log was lost, or it is used twice', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    witness.setLatest({ size: 50, root: leafHash('more') });
    await log.sign(9);
    await expect.poll(() => log.counted.filter((result) => result === 'ahead').length, { timeout: 5000 }).toBe(2);
    await expect.poll(() => JSON.stringify(log.logLines())).toContain('cosigned 50 records, and the log has 9');
  });

  test('receives at a start the checkpoint that was signed when the process stopped, once', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    const folder = newFolder();
    {
      await using stopped = await openTestLog([], signer, { folder });
      await stopped.sign(9);
    }
    {
      await using started = await openTestLog([witness], signer, { folder, size: 9 });
      await expect.poll(() => started.checkpointer.newestCosigned()?.size).toBe(9);
      expect(cosignedBy(started.checkpointer.newest()?.note, witness)).toBe(true);
    }
    await using other = await startWitness({ origin, logVkey: () => signer.vkey });
    await using again = await openTestLog([witness, other], signer, { folder, size: 9 });
    await expect.poll(() => cosignedBy(again.checkpointer.newest()?.note, other)).toBe(true);
    expect(cosignedBy(again.checkpointer.newest()?.note, witness)).toBe(true);
    expect(witness.statuses).toEqual([200]);
  });

  test('that does not know the log or its key refuses', async () => {
    await using witness = await startWitness({ origin, logVkey: () => newSigner().vkey });
    await using log = await openTestLog([witness]);
    await log.sign(1);
    await expect.poll(() => log.counted).toContain('refused');
    expect(witness.statuses[0]).toBe(403);
  });

  test.each([
    ['of another key', (text: string) => text.replace('w1', 'w2')],
    ['that is not valid', (text: string) => text.replace(/.{8}\n$/, 'AAAAAAA=\n')],
    ['that is no signature line', () => 'fine\n'],
    ['that is missing', () => ''],
  ])('whose cosignature is one %s is not believed', async (_what, change) => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    witness.override((honest) => ({ ...honest, body: change(honest.body) }));
    await log.sign(1);
    await expect.poll(() => log.counted).toContain('invalid');
    expect(log.checkpointer.newestCosigned()).toBeUndefined();
    witness.override(undefined);
    await expect.poll(() => log.checkpointer.newestCosigned()?.size, { timeout: 5000 }).toBe(1);
  });

  test('whose answer was lost cosigns the same checkpoint again', async () => {
    const signer = newSigner();
    await using witness = await startWitness({ origin, logVkey: () => signer.vkey });
    await using log = await openTestLog([witness], signer);
    witness.override(() => ({ status: 502, body: '' }));
    await log.sign(5);
    await expect.poll(() => log.counted).toContain('refused');
    expect(witness.latest().size).toBe(5);
    witness.override(undefined);
    await expect.poll(() => log.checkpointer.newestCosigned()?.size, { timeout: 5000 }).toBe(5);
    expect(witness.statuses).toEqual([502, 409, 200]);
  });

  test('that is unreachable is tried again, and cosigns the newest checkpoint then', async () => {
    const signer = newSigner();
    const first = await startWitness({ origin, logVkey: () => signer.vkey });
    const port = Number(new URL(first.url).port);
    await first[Symbol.asyncDispose]();
    await using log = await openTestLog([first], signer);
    await log.sign(4);
    await log.sign(4);
    await expect.poll(() => log.counted).toContain('unreachable');
    expect(log.checkpointer.newest()?.size).toBe(8);
    await using second = await startWitness({ origin, logVkey: () => signer.vkey, port });
    await expect.poll(() => second.latest().size, { timeout: 5000 }).toBe(8);
    // The second witness has another key than the configured one.
    await expect.poll(() => log.counted).toContain('invalid');
  });
});
