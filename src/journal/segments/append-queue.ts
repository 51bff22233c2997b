/**
 * Group append: the lines that are appended in one turn of the event loop are one write.
 * With durability `full` a group is also put on the disk, off the event loop, while the next group gathers.
 */
import { setImmediate as nextTurn } from 'node:timers';
import { JournalError, journalFailure } from '../journal-error.ts';
import { recordBytesMax } from '../record-line.ts';
import { type LogTree, leafHash } from '../tree.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { WriteCheck } from './write-check.ts';

/** The most appends that may wait. One more is refused. */
export const waitingAppendsMax = 4096;
/** The most bytes of one write. What does not fit is written in the next turn. */
const groupBytesMax = 1_048_576;
/** Seconds after which a refused append should be retried. */
const retryAfterSeconds = 1;
const newline = 10;

/** Appends lines in groups. */
export interface AppendQueue {
  /** See `Journal.append`. */
  append(build: (seq: number) => string): Promise<number>;
  /** Whether appends wait, or a group is being written. */
  isBusy(): boolean;
  /** Resolves when all appends so far are settled. */
  idle(): Promise<void>;
  /** The number of records. */
  size(): number;
}

/** Dependencies of the queue. Nothing else may write with its writer. */
export interface AppendQueueDeps {
  writer: SegmentWriter;
  tree: Pick<LogTree, 'append'>;
  writeCheck: WriteCheck;
  /** The number of records in the journal. */
  size: number;
  durability: 'normal' | 'full';
  /** Called once for each group that fails, and for each append that is refused because too many wait. */
  onFailure: (error: JournalError) => void;
  /** Called after each group with the new number of records. */
  onAppended: (size: number) => void;
}

interface WaitingAppend {
  build: (seq: number) => string;
  resolve: (seq: number) => void;
  reject: (error: unknown) => void;
}

/** Creates the queue. */
export function createAppendQueue(deps: AppendQueueDeps): AppendQueue {
  const groups = createGroupWriter(deps);
  let waiting: WaitingAppend[] = [];
  let isRunning = false;
  let whenIdle: (() => void)[] = [];
  const run = () => {
    const written = groups.write(waiting);
    waiting = waiting.slice(written.taken);
    if (written.settled === undefined) endTurn();
    else written.settled.then(endTurn);
  };
  const endTurn = () => {
    if (waiting.length > 0) return void nextTurn(run);
    isRunning = false;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };
  return {
    append: (build) => {
      if (waiting.length >= waitingAppendsMax) {
        const error = new JournalError('overload', `more than ${waitingAppendsMax} appends are waiting`, {
          retryAfterSeconds,
        });
        deps.onFailure(error);
        return Promise.reject(error);
      }
      return new Promise((resolve, reject) => {
        waiting.push({ build, resolve, reject });
        if (isRunning) return;
        isRunning = true;
        nextTurn(run);
      });
    },
    isBusy: () => isRunning,
    idle: () => (isRunning ? new Promise((resolve) => whenIdle.push(resolve)) : Promise.resolve()),
    size: groups.size,
  };
}

/** Lines of one write, with their leaf hashes. */
interface Group {
  lines: { leaf: Buffer; append: WaitingAppend }[];
  bytes: number;
}

/** Writes groups, one after the other. */
interface GroupWriter {
  size(): number;
  /**
   * Writes as many appends as fit into one write. Returns how many it took, and a promise if they settle later. It never
   * rejects.
   */
  write(waiting: readonly WaitingAppend[]): { taken: number; settled?: Promise<void> };
}

function createGroupWriter({ writer, tree, writeCheck, durability, ...deps }: AppendQueueDeps): GroupWriter {
  const buffer = Buffer.allocUnsafe(groupBytesMax);
  let { size } = deps;
  const fail = ({ lines }: Group, cause: unknown) => {
    const error = journalFailure(cause);
    writeCheck.failed(error);
    deps.onFailure(error);
    for (const { append } of lines) append.reject(error);
  };
  const commit = ({ lines }: Group) => {
    writer.file().commit();
    writeCheck.succeeded();
    for (const { leaf, append } of lines) {
      tree.append(leaf);
      size += 1;
      append.resolve(size);
    }
    deps.onAppended(size);
  };
  const putOnDisk = async (group: Group) => {
    try {
      await writer.flush();
      commit(group);
    } catch (cause) {
      fail(group, cause);
      cutBack(writer);
    }
  };
  return {
    size: () => size,
    write: (waiting) => {
      const group: Group = { lines: [], bytes: 0 };
      const taken = gather({ waiting, buffer, size }, group);
      if (group.lines.length === 0) return { taken };
      try {
        writer.rollIfDue(size);
        writer.file().write(buffer.subarray(0, group.bytes));
      } catch (cause) {
        fail(group, cause);
        return { taken };
      }
      if (durability === 'full') return { taken, settled: putOnDisk(group) };
      commit(group);
      return { taken };
    },
  };
}

/** Builds lines into the buffer until it is full. Returns how many appends it took. One that is no valid line is rejected. */
function gather(
  { waiting, buffer, size }: { waiting: readonly WaitingAppend[]; buffer: Buffer; size: number },
  group: Group,
): number {
  let taken = 0;
  for (const append of waiting) {
    if (group.bytes + recordBytesMax + 1 > buffer.length) break;
    taken += 1;
    try {
      const line = append.build(size + group.lines.length + 1);
      assertLine(line);
      group.lines.push({ leaf: leafHash(line), append });
      group.bytes += buffer.write(line, group.bytes);
      buffer[group.bytes] = newline;
      group.bytes += 1;
    } catch (error) {
      append.reject(error);
    }
  }
  return taken;
}

/** @throws JournalError if the text is more than one line, or too long */
function assertLine(line: string): void {
  const isShort = line.length * 3 <= recordBytesMax || Buffer.byteLength(line) <= recordBytesMax;
  if (isShort && !line.includes('\n')) return;
  throw new JournalError('other', `a record must be one line of at most ${recordBytesMax} bytes`);
}

/** Removes a group that the disk did not confirm. If that fails too, the writer removes it before the next write. */
function cutBack(writer: SegmentWriter): void {
  try {
    writer.file().cutBack();
  } catch {
    // The error of the group is reported already.
  }
}
