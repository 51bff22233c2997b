/**
 * Group commit: works queued in one turn of the event loop share one transaction, each inside its own savepoint.
 * A caller hears of its work only after the commit. Knows nothing of what the works write.
 */
import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { HestiaError } from '../shapes/error.ts';
import { isBusy, type StorageFailure } from './storage-error.ts';

/** How long a write waits for another process that holds the lock, in milliseconds. */
export const busyTimeoutMs = 1000;
/** The first wait between two tries, and the longest, in milliseconds. Our own checkpoints hold it for a moment only. */
const busyRetryMsMin = 1;
const busyRetryMsMax = 20;

/** Works that may wait for their commit; one more is refused. */
export const queuedWorksMax = 4096;
/** Seconds after which a refused work is worth another try. */
const retryAfterSeconds = 1;

const isOpen: unique symbol = Symbol('isOpen');

/** Proof of an open transaction, made by {@link TransactionQueue.transaction} only; every write takes one. */
export interface Transaction {
  readonly [isOpen]: boolean;
}

/** @throws AssertionError where the work that was given `tx` has ended. */
export function assertOpen(tx: Transaction): void {
  assert(tx[isOpen], 'a transaction was used after its end');
}

/** Runs works in transactions, in the order given. */
export interface TransactionQueue {
  /**
   * Runs `work` and resolves with its value after the commit. A work awaits store methods only: one that is not
   * settled when the event loop turns is rolled back, since it would hold up all others.
   * @throws what `work` throws, alone rolled back; HestiaError STORAGE_FAILED where the commit fails, the database
   * is locked or closed, or {@link queuedWorksMax} works wait already.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Refuses further works and resolves when the queued ones are through. */
  drain(): Promise<void>;
}

/** What a queue is made of: one connection, which nothing else may begin transactions on. */
export interface TransactionQueueDeps {
  connection: DatabaseSync;
  failure: StorageFailure;
  /** Hears of each work that is refused because too many wait. */
  onOverload: () => void;
  /** Hears of each rollback, of one work or of all: what was read in it does not hold any more. */
  onRollback: () => void;
}

type GroupDeps = Omit<TransactionQueueDeps, 'onOverload'> & { control: ControlStatements };

/** Makes the queue of one connection. */
export function createTransactionQueue({ onOverload, ...deps }: TransactionQueueDeps): TransactionQueue {
  const groupDeps = { ...deps, control: prepareControl(deps.connection) };
  let queued: QueuedWork[] = [];
  let group: Promise<void> | undefined;
  let draining = false;

  function enqueue(work: QueuedWork): void {
    queued.push(work);
    group ??= nextGroup();
  }

  async function nextGroup(): Promise<void> {
    while (queued.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const works = queued;
      queued = [];
      await runGroup(groupDeps, works);
    }
    group = undefined;
  }

  return {
    transaction(work) {
      if (draining) return Promise.reject(new HestiaError('STORAGE_FAILED', 'the database is closed'));
      if (queued.length >= queuedWorksMax) {
        onOverload();
        const found = `more than ${queuedWorksMax} writes are waiting`;
        return Promise.reject(new HestiaError('STORAGE_FAILED', found, { retryAfterSeconds }));
      }
      return new Promise((resolve, reject) => {
        // Bound to the caller's context, since all works of a group run in the turn that the first one started.
        const run = AsyncLocalStorage.bind(async (tx: Transaction) => {
          const value = await work(tx);
          return () => resolve(value);
        });
        enqueue({ run, reject });
      });
    },
    async drain() {
      draining = true;
      await group;
    },
  };
}

interface QueuedWork {
  /** Does the work; answers how to tell the caller of its success, for after the commit. */
  run(tx: Transaction): Promise<() => void>;
  reject(error: unknown): void;
}

type WorkResult = { done: true; tell: () => void } | { done: false; error: unknown };

/** The statements around the works, prepared once. */
interface ControlStatements {
  begin: StatementSync;
  commit: StatementSync;
  rollBack: StatementSync;
  savepoint: StatementSync;
  rollBackWork: StatementSync;
  release: StatementSync;
}

function prepareControl(connection: DatabaseSync): ControlStatements {
  return {
    begin: connection.prepare('BEGIN IMMEDIATE'),
    commit: connection.prepare('COMMIT'),
    rollBack: connection.prepare('ROLLBACK'),
    savepoint: connection.prepare('SAVEPOINT work'),
    rollBackWork: connection.prepare('ROLLBACK TO work'),
    release: connection.prepare('RELEASE work'),
  };
}

// Nobody is told before the end: a caller that goes on in the middle of a group would read what is not committed.
async function runGroup(deps: GroupDeps, works: readonly QueuedWork[]): Promise<void> {
  const { control } = deps;
  const finished: { work: QueuedWork; result: WorkResult }[] = [];
  let failure: unknown;
  try {
    await begin(control);
    // A work that is alone in its group is rolled back with it; only in company it needs a savepoint of its own.
    const run = works.length === 1 ? runAlone : runInSavepoint;
    for (const work of works) finished.push({ work, result: await run(deps, work) });
    if (deps.connection.isTransaction) control.commit.run();
  } catch (cause) {
    failure = deps.failure(cause);
    rollBack(deps);
  }
  for (const { work, result } of finished) {
    if (!result.done) work.reject(result.error);
    else if (failure === undefined) result.tell();
  }
  // Settling a promise again does nothing, so that those rejected above keep their own error.
  if (failure !== undefined) for (const work of works) work.reject(failure);
}

/** Begins as soon as no other process holds the lock; the event loop goes on meanwhile. @throws what SQLite throws */
async function begin(control: ControlStatements): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let retryMs = busyRetryMsMin; ; retryMs = Math.min(2 * retryMs, busyRetryMsMax)) {
    try {
      control.begin.run();
      return;
    } catch (cause) {
      if (!isBusy(cause) || performance.now() >= deadline) throw cause;
    }
    await delay(retryMs);
  }
}

async function runAlone(deps: GroupDeps, work: QueuedWork): Promise<WorkResult> {
  const result = await runWork(work);
  if (!result.done) {
    if (!deps.connection.isTransaction) throw result.error;
    rollBack(deps);
  }
  return result;
}

async function runInSavepoint({ connection, control, onRollback }: GroupDeps, work: QueuedWork): Promise<WorkResult> {
  control.savepoint.run();
  const result = await runWork(work);
  if (!result.done) {
    // Some failures, such as a full disk, end the whole transaction, and the group with it.
    if (!connection.isTransaction) throw result.error;
    onRollback();
    control.rollBackWork.run();
  }
  control.release.run();
  return result;
}

async function runWork(work: QueuedWork): Promise<WorkResult> {
  const tx = { [isOpen]: true };
  const turn = Promise.withResolvers<never>();
  const turnEnd = setImmediate(() => {
    turn.reject(new assert.AssertionError({ message: 'a transaction waited for something other than a store' }));
  });
  try {
    return { done: true, tell: await Promise.race([work.run(tx), turn.promise]) };
  } catch (error) {
    return { done: false, error };
  } finally {
    clearImmediate(turnEnd);
    tx[isOpen] = false;
  }
}

function rollBack({ connection, control, onRollback }: GroupDeps): void {
  onRollback();
  try {
    if (connection.isTransaction) control.rollBack.run();
  } catch {
    // SQLite has ended the transaction on its own; there is nothing left to undo.
  }
}
