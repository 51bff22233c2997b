/** A real journal in a folder of its own, with its checkpoints and a head file outside of it. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogCheckpointer, type LogCheckpointer } from '../../../src/domain/audit/log-checkpointer.ts';
import { type CheckpointFiles, openCheckpointFiles } from '../../../src/journal/checkpoint-files.ts';
import { type Journal, openJournal } from '../../../src/journal/journal.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import { type NoteSigner, noteSigner } from '../../../src/journal/signed-note.ts';
import type { AuditEntry } from '../../../src/shapes/audit.ts';
import type { HubEvent } from '../../../src/shapes/event.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import { testEntry, testOrigin } from './export-lines.ts';

/** A journal of a process that runs. */
export interface OpenTestJournal {
  journal: Journal;
  checkpointer: LogCheckpointer;
  files: CheckpointFiles;
  /** Appends records, numbered tool calls unless `change` says otherwise, one by one. */
  write(count: number, change?: Partial<AuditEntry>): Promise<void>;
  /** Signs all records, and stops. */
  close(): Promise<void>;
}

/** The folder of a journal. */
export interface TestJournal extends Disposable {
  /** The folder of the journal, and the one that it is in. */
  directory: string;
  folder: string;
  headFile: string;
  signer: NoteSigner;
  reported: HubEvent[];
  open(): Promise<OpenTestJournal>;
  /** The texts of the segments, oldest first, by name. */
  segments(): string[];
  read(segment: string): string;
  rewrite(segment: string, change: (text: string) => string): void;
  remove(segment: string): void;
  /** Copies the journal's folder; {@link putBack} replaces the folder with the copy. */
  copy(): string;
  putBack(copy: string): void;
}

/** Creates the folder. A segment has at most `segmentBytesMax`. */
export function createTestJournal({ segmentBytesMax = 8000 } = {}): TestJournal {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-journal-'));
  const directory = join(folder, 'journal');
  const headFile = join(folder, 'elsewhere', 'audit.head');
  const signer = noteSigner(testOrigin, generateKeyPairSync('ed25519').privateKey);
  const reported: HubEvent[] = [];
  const pathOf = (segment: string) => join(directory, 'segments', segment);
  return {
    directory,
    folder,
    headFile,
    signer,
    reported,
    open: () => openParts({ folder, directory, headFile, signer, reported, segmentBytesMax }),
    segments: () => readdirSync(join(directory, 'segments')).sort(),
    read: (segment) => readFileSync(pathOf(segment), 'utf8'),
    rewrite: (segment, change) => writeFileSync(pathOf(segment), change(readFileSync(pathOf(segment), 'utf8'))),
    remove: (segment) => rmSync(pathOf(segment)),
    copy: () => {
      const copy = mkdtempSync(join(folder, 'copy-'));
      cpSync(directory, copy, { recursive: true });
      return copy;
    },
    putBack: (copy) => {
      rmSync(directory, { recursive: true });
      cpSync(copy, directory, { recursive: true });
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Parts {
  folder: string;
  directory: string;
  headFile: string;
  signer: NoteSigner;
  reported: HubEvent[];
  segmentBytesMax: number;
}

async function openParts({
  folder,
  directory,
  headFile,
  signer,
  reported,
  segmentBytesMax,
}: Parts): Promise<OpenTestJournal> {
  const limits = { segmentBytesMax };
  const now = () => Date.UTC(2026, 0, 1);
  const journal = await openJournal({ directory, durability: 'normal', now, limits });
  const files = await openCheckpointFiles({ directory, headFile });
  const log = await openLog({ file: join(folder, 'hestia.log'), level: 'info', standardOutput: 'none' });
  const checkpointer = createLogCheckpointer({
    journal,
    files,
    origin: testOrigin,
    signers: () => [signer],
    report: (event) => reported.push(event),
    log,
    settings: { checkpointRecords: 1000, checkpointSeconds: 60 },
    now,
  });
  return {
    journal,
    checkpointer,
    files,
    write: async (count, change = {}) => {
      for (let left = count; left > 0; left -= 1)
        await journal.append((seq) =>
          recordLine(testEntry({ fields: { latency_ms: seq / 3, tool_name: `tool-${seq}` }, ...change }), seq),
        );
    },
    close: async () => {
      await checkpointer.stop();
      await journal[Symbol.asyncDispose]();
      await log.close();
    },
  };
}
