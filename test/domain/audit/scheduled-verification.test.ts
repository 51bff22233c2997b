/** The scheduled verification of a running hub's journal: what raises the alarm, and what does not. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createScheduledVerification } from '../../../src/domain/audit/scheduled-verification.ts';
import { readCheckpoints } from '../../../src/journal/checkpoint-reader.ts';
import type { TrailFault } from '../../../src/shapes/audit-log/verdict.ts';
import { pruningRecord, testOrigin } from '../../support/audit/export-lines.ts';
import { createTestJournal, type OpenTestJournal, type TestJournal } from '../../support/audit/test-journal.ts';

/** A running hub's journal with 600 signed records, and its verification. */
async function runningJournal() {
  const stored = createTestJournal({ segmentBytesMax: 60_000 });
  const open = await stored.open();
  const faults: TrailFault[] = [];
  const verification = createScheduledVerification({
    sources: sourcesOf(stored, open),
    checkpointer: open.files,
    alarm: {
      raise: async (fault) => void faults.push(fault),
      raiseThrottled: async (fault) => void faults.push(fault),
    },
  });
  const sign = () => open.checkpointer.runNow();
  return {
    stored,
    open,
    faults,
    verification,
    sign,
    [Symbol.asyncDispose]: async () => {
      await open.close();
      stored[Symbol.dispose]();
    },
  };
}

const sourcesOf = ({ directory, signer }: TestJournal, { journal }: OpenTestJournal) => ({
  journal,
  checkpoints: (range: { after: number; until: number }) => readCheckpoints(directory, range),
  origin: testOrigin,
  writerId: 'writer_1',
  vkeys: () => [signer.vkey],
});

describe('the scheduled verification', () => {
  test('raises no alarm before anything is signed, while records are written, and after retention', async () => {
    await using hub = await runningJournal();
    const { open, verification, faults } = hub;
    await verification.run();
    await open.write(10);
    await verification.run();
    await open.write(600);
    await hub.sign();
    await open.write(5);
    await verification.run();
    await open.journal.retire({
      before: Date.UTC(2027, 0, 1),
      coveredSize: open.files.newest()?.size ?? 0,
      announce: async ({ firstSeq }) => {
        await open.journal.append((seq) => pruningRecord(seq, firstSeq));
        await hub.sign();
      },
    });
    expect(open.journal.firstSeq()).toBeGreaterThan(1);
    await verification.run();
    expect(faults).toEqual([]);
  });

  const segmentOf = ({ stored }: { stored: TestJournal }) => stored.segments()[1] ?? '';
  test.each([
    [
      'a byte was changed',
      (hub: { stored: TestJournal }) =>
        hub.stored.rewrite(segmentOf(hub), (text) => text.replace('billing', 'biiling')),
    ],
    [
      'a line was removed',
      (hub: { stored: TestJournal }) =>
        hub.stored.rewrite(segmentOf(hub), (text) => text.slice(text.indexOf('\n') + 1)),
    ],
    ['a segment was emptied', (hub: { stored: TestJournal }) => hub.stored.rewrite(segmentOf(hub), () => '')],
    [
      'the checkpoints were removed',
      ({ stored }: { stored: TestJournal }) => rmSync(join(stored.directory, 'checkpoints.ndjson')),
    ],
    [
      'the last checkpoint was removed',
      ({ stored }: { stored: TestJournal }) => {
        const file = join(stored.directory, 'checkpoints.ndjson');
        writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, -2).join('\n').concat('\n'));
      },
    ],
    [
      'the end was removed',
      ({ stored }: { stored: TestJournal }) =>
        stored.rewrite(stored.segments().at(-1) ?? '', (text) => `${text.split('\n').slice(0, -3).join('\n')}\n`),
    ],
  ])('raises the alarm if %s, in each pass', async (_what, tamper) => {
    await using hub = await runningJournal();
    await hub.open.write(300);
    await hub.sign();
    await hub.open.write(300);
    await hub.sign();
    await hub.verification.run();
    expect(hub.faults).toEqual([]);
    tamper(hub);
    await hub.verification.run();
    await hub.verification.run();
    expect(hub.faults).toHaveLength(2);
    expect(hub.faults[0]?.seq).toBeGreaterThan(0);
  });
});
