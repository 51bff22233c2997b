/**
 * The bytes of results that are held until their clients have read them, shared out by key.
 * Each request has an account. Whoever receives a result finds that of its request, however many calls lie between.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type BudgetRefusal, createFairBudget } from './fair-budget.ts';

/** The budget. */
export interface HeldResults {
  /** The bytes of all results together. */
  readonly bytesMax: number;
  /** Opens the account of a request of the key. */
  open(key: string, options?: ResultAccountOptions): ResultAccount;
  /** Whether the results of the key that are not read yet take its share. */
  isShareUsed(key: string): boolean;
}

/** Options of an account. */
export interface ResultAccountOptions {
  /** Has no share, but the whole budget. */
  isPrivileged?: boolean;
  /** Called after each amount that is taken. */
  onTaken?: () => void;
}

/** The account of one request. Disposing it gives everything back; later results of the request are not counted. */
export interface ResultAccount extends Disposable {
  /** The bytes that the results of the request take. */
  readonly bytes: number;
  /** Takes the bytes of a result, or returns why they are refused. */
  take(bytes: number): BudgetRefusal | undefined;
  /** Runs work in which {@link currentResultAccount} is this account. */
  run<T>(work: () => T): T;
}

const current = new AsyncLocalStorage<ResultAccount>();

/** The account of the request that is being handled; undefined for work that no request has caused. */
export function currentResultAccount(): ResultAccount | undefined {
  return current.getStore();
}

/** Creates the budget. Nothing is held. */
export function createHeldResults(bytesMax: number): HeldResults {
  const budget = createFairBudget(bytesMax);
  return {
    bytesMax,
    open: (key, { isPrivileged = false, onTaken } = {}) => {
      let held = 0;
      let isClosed = false;
      const account: ResultAccount = {
        get bytes() {
          return held;
        },
        take: (bytes) => {
          if (isClosed) return undefined;
          const refusal = budget.take(key, bytes, { isPrivileged });
          if (refusal !== undefined) return refusal;
          held += bytes;
          onTaken?.();
          return undefined;
        },
        run: (work) => current.run(account, work),
        [Symbol.dispose]: () => {
          isClosed = true;
          if (held > 0) budget.give(key, held);
          held = 0;
        },
      };
      return account;
    },
    isShareUsed: budget.isShareUsed,
  };
}
