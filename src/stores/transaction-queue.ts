/**
 * Group commit: transactions queued in one turn of the event loop share one commit.
 * Each runs inside its own savepoint, and settles only after the commit.
 */
import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { exponentialBackoff } from '../flow/backoff.ts';
import { HestiaError } from '../shapes/error.ts';
import { isBusy, type StorageFailure } from './storage-error.ts';

/** How long a write waits for a lock that another process holds, in milliseconds. */
export const busyTimeoutMs = 1000;
/** The first and the longest delay between two attempts, in milliseconds. Our own checkpoints hold the lock only briefly. */
const busyRetryBounds = { delayMs: 1, delayMsMax: 20 };

/** The most transactions that may be queued. One more is refused. */
export const queuedTransactionsMax = 4096;
/** Seconds after which a refused transaction should be retried. */
const retryAfterSeconds = 1;

const isOpen: unique symbol = Symbol('isOpen');

/** Proof of an open transaction, which every write requires. Only {@link TransactionQueue.transaction} creates it. */
export interface Transaction {
  readonly [isOpen]: boolean;
}

/** @throws AssertionError if the transaction of `tx` has ended. */
export function assertOpen(tx: Transaction): void {
  assert(tx[isOpen], 'a transaction was used after its end');
}

/** Runs transactions in the order in which they are queued. */
export interface TransactionQueue {
  /**
   * Runs `work` and resolves with its value after the commit. `work` may await store methods only. If it is not settled by the
   * next turn of the event loop it is rolled back, since it would delay all others.
   * @throws what `work` throws, after rolling back only this transaction; HestiaError STORAGE_FAILED if the commit fails, the
   * database is locked or closed, or {@link queuedTransactionsMax} transactions are queued already.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Refuses further transactions and resolves when the queued ones have settled. */
  drain(): Promise<void>;
}

/** Dependencies of the queue. Nothing else may begin transactions on its connection. */
export interface TransactionQueueDeps {
  connection: DatabaseSync;
  failure: StorageFailure;
  /** Called for each transaction that is refused because the queue is full. */
  onOverload: () => void;
  /** Called for each rollback, of one transaction or of a group. Values read in it are then invalid. */
  onRollback: () => void;
}

type GroupDeps = Omit<TransactionQueueDeps, 'onOverload'> & { control: ControlStatements };

/** Creates the queue of one connection. */
export function createTransactionQueue({ onOverload, ...deps }: TransactionQueueDeps): TransactionQueue {
  const groupDeps = { ...deps, control: prepareControl(deps.connection) };
  let queued: QueuedTransaction[] = [];
  let group: Promise<void> | undefined;
  let isDraining = false;

  function enqueue(transaction: QueuedTransaction): void {
    queued.push(transaction);
    group ??= runGroups();
  }

  async function runGroups(): Promise<void> {
    while (queued.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const transactions = queued;
      queued = [];
      await runGroup(groupDeps, transactions);
    }
    group = undefined;
  }

  return {
    transaction(work) {
      if (isDraining) return Promise.reject(new HestiaError('STORAGE_FAILED', 'the database is closed'));
      if (queued.length >= queuedTransactionsMax) {
        onOverload();
        const message = `more than ${queuedTransactionsMax} writes are waiting`;
        return Promise.reject(new HestiaError('STORAGE_FAILED', message, { retryAfterSeconds }));
      }
      return new Promise((resolve, reject) => {
        // Bound to the caller's asynchronous context, since the first transaction's context starts the whole group.
        const run = AsyncLocalStorage.bind(async (tx: Transaction) => {
          const value = await work(tx);
          return () => resolve(value);
        });
        enqueue({ run, reject });
      });
    },
    async drain() {
      isDraining = true;
      await group;
    },
  };
}

interface QueuedTransaction {
  /** Runs the work. Returns the function that resolves the caller's promise, to be called after the commit. */
  run(tx: Transaction): Promise<() => void>;
  reject(error: unknown): void;
}

type TransactionResult = { done: true; resolve: () => void } | { done: false; error: unknown };

/** The statements around transactions, prepared once. */
interface ControlStatements {
  begin: StatementSync;
  commit: StatementSync;
  rollBack: StatementSync;
  savepoint: StatementSync;
  rollBackSavepoint: StatementSync;
  release: StatementSync;
}

function prepareControl(connection: DatabaseSync): ControlStatements {
  return {
    begin: connection.prepare('BEGIN IMMEDIATE'),
    commit: connection.prepare('COMMIT'),
    rollBack: connection.prepare('ROLLBACK'),
    savepoint: connection.prepare('SAVEPOINT work'),
    rollBackSavepoint: connection.prepare('ROLLBACK TO work'),
    release: connection.prepare('RELEASE work'),
  };
}

// Promises are settled after the commit: a caller that continued within a group would read what is not committed.
async function runGroup(deps: GroupDeps, transactions: readonly QueuedTransaction[]): Promise<void> {
  const { control } = deps;
  const finished: { transaction: QueuedTransaction; result: TransactionResult }[] = [];
  let failure: unknown;
  try {
    await begin(control);
    // A transaction that is alone in its group is rolled back with the group and needs no savepoint.
    const run = transactions.length === 1 ? runAlone : runInSavepoint;
    for (const transaction of transactions) finished.push({ transaction, result: await run(deps, transaction) });
    if (deps.connection.isTransaction) control.commit.run();
  } catch (cause) {
    failure = deps.failure(cause);
    rollBack(deps);
  }
  for (const { transaction, result } of finished) {
    if (!result.done) transaction.reject(result.error);
    else if (failure === undefined) result.resolve();
  }
  // Settling a promise twice has no effect, so those rejected above keep their own error.
  if (failure !== undefined) for (const transaction of transactions) transaction.reject(failure);
}

/** Begins once no other process holds the lock, without blocking the event loop meanwhile. @throws what SQLite throws */
async function begin(control: ControlStatements): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      control.begin.run();
      return;
    } catch (cause) {
      if (!isBusy(cause) || performance.now() >= deadline) throw cause;
    }
    await delay(exponentialBackoff(busyRetryBounds, attempt));
  }
}

async function runAlone(deps: GroupDeps, transaction: QueuedTransaction): Promise<TransactionResult> {
  const result = await runWork(transaction);
  if (!result.done) {
    if (!deps.connection.isTransaction) throw result.error;
    rollBack(deps);
  }
  return result;
}

async function runInSavepoint(
  { connection, control, onRollback }: GroupDeps,
  transaction: QueuedTransaction,
): Promise<TransactionResult> {
  control.savepoint.run();
  const result = await runWork(transaction);
  if (!result.done) {
    // Some failures, such as a full disk, make SQLite roll back everything, and the group fails.
    if (!connection.isTransaction) throw result.error;
    onRollback();
    control.rollBackSavepoint.run();
  }
  control.release.run();
  return result;
}

async function runWork(transaction: QueuedTransaction): Promise<TransactionResult> {
  const tx = { [isOpen]: true };
  const turn = Promise.withResolvers<never>();
  const turnEnd = setImmediate(() => {
    turn.reject(new assert.AssertionError({ message: 'a transaction waited for something other than a store' }));
  });
  try {
    return { done: true, resolve: await Promise.race([transaction.run(tx), turn.promise]) };
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
    // SQLite has rolled back by itself, and nothing is left to undo.
  }
}
