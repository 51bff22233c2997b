/** The journal in the layout of C2SP tlog-tiles: what is served, and what is not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLogTiles } from '../../../src/domain/audit/log-tiles.ts';
import type { CheckpointLine } from '../../../src/journal/checkpoint.ts';
import type { JournalLine } from '../../../src/journal/journal.ts';
import { leafHash, openLogTree } from '../../../src/journal/tree.ts';

const directory = mkdtempSync(join(tmpdir(), 'hestia-tiles-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const lineOf = (seq: number) => `{"seq":${seq},"text":"ž"}`;

/** The tiles of a log of `size` records, of which a checkpoint covers `covered` and `firstSeq` is the oldest stored. */
async function tilesOf({ size = 600, covered = 600, firstSeq = 1 } = {}) {
  const readLeaves = async function* (from: number, to: number) {
    for (let index = from; index < to; index += 1) yield leafHash(lineOf(index + 1));
  };
  const tree = await openLogTree({ directory, size: 0, firstStored: 0, readLeaves });
  for (let seq = 1; seq <= size; seq += 1) tree.append(leafHash(lineOf(seq)));
  const read = async function* ({ from, to }: { from: number; to: number }): AsyncIterable<readonly JournalLine[]> {
    for (let seq = from; seq <= to; seq += 1) yield [{ seq, line: lineOf(seq) }];
  };
  const newest = (): CheckpointLine => ({ size: covered, time: '', note: 'the newest' });
  return createLogTiles({
    journal: { tree, read, firstSeq: () => firstSeq },
    checkpointer: { newest: covered === 0 ? () => undefined : newest, newestCosigned: () => undefined },
  });
}

function leavesIn(bundle: Buffer): Buffer[] {
  const leaves: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at);
    leaves.push(leafHash(bundle.subarray(at + 2, end)));
    at = end;
  }
  return leaves;
}

describe('a tile', () => {
  test('has the hashes of the entry bundle of the same path, full and partial', async () => {
    const tiles = await tilesOf();
    for (const index of ['000', '001', '002.p/88', '002.p/1', '001.p/255']) {
      const hashes = await tiles.tile({ level: '0', index });
      expect(Buffer.concat(leavesIn(await tiles.entries({ index })))).toEqual(hashes);
    }
    expect(await tiles.tile({ level: '1', index: '000.p/2' })).toHaveLength(64);
  });

  test.each([
    ['0', '002'],
    ['0', '002.p/89'],
    ['0', '000.p/0'],
    ['0', '000.p/256'],
    ['0', '000.p/01'],
    ['0', '000.p/'],
    ['0', '0'],
    ['0', 'x000/000'],
    ['0', '../000'],
    ['00', '000'],
    ['1', '000'],
    ['2', '000.p/1'],
    ['64', '000'],
    ['-1', '000'],
    ['entries', '000'],
  ])('does not exist at %s/%s', async (level, index) => {
    const tiles = await tilesOf();
    await expect(tiles.tile({ level, index })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is not served before a checkpoint covers it', async () => {
    const tiles = await tilesOf({ covered: 400 });
    await expect(tiles.tile({ level: '0', index: '001' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(tiles.entries({ index: '001.p/145' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await tiles.entries({ index: '001.p/144' }).then(leavesIn)).toHaveLength(144);
  });

  test('of deleted records is served, but not their entry bundle', async () => {
    const tiles = await tilesOf({ firstSeq: 258 });
    expect(await tiles.tile({ level: '0', index: '000' })).toHaveLength(8192);
    await expect(tiles.entries({ index: '000' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(tiles.entries({ index: '001' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await tiles.entries({ index: '002.p/88' }).then(leavesIn)).toHaveLength(88);
  });
});

describe('the checkpoint', () => {
  test('is the newest one, and absent before the first', async () => {
    const tiles = await tilesOf();
    expect(tiles.checkpoint({ isCosigned: false })).toBe('the newest');
    expect(() => tiles.checkpoint({ isCosigned: true })).toThrow('no such checkpoint');
    const empty = await tilesOf({ covered: 0 });
    expect(() => empty.checkpoint({ isCosigned: false })).toThrow('no such checkpoint');
  });
});
