/**
 * A budget of places or bytes that is shared out by key. A key may take as much as is left, so that one key alone gets half, and
 * a key that comes later always finds its share (dynamic thresholds: Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998).
 */

/** What a key may not take more for: its own share is used up, or there is too little left for anybody. */
export type BudgetRefusal = 'share' | 'total';

/** The budget. Amounts are places or bytes. */
export interface FairBudget {
  /** Takes the amount, or returns why it is refused. What is taken is given back with {@link FairBudget.give}. */
  take(key: string, amount: number, options?: { isPrivileged?: boolean }): BudgetRefusal | undefined;
  give(key: string, amount: number): void;
  /** How much the key has taken. */
  takenBy(key: string): number;
  /** Whether the key has its share, so that even the smallest amount is refused. */
  isShareUsed(key: string): boolean;
}

/**
 * Creates a budget. A key that has nothing may take one amount of any size that is left. A privileged key has no share, but the
 * whole budget.
 */
export function createFairBudget(total: number): FairBudget {
  const taken = new Map<string, number>();
  let sum = 0;
  return {
    take: (key, amount, { isPrivileged = false } = {}) => {
      const own = taken.get(key) ?? 0;
      const left = total - sum;
      if (amount > left) return 'total';
      if (!isPrivileged && own > 0 && own + amount > left) return 'share';
      sum += amount;
      taken.set(key, own + amount);
      return undefined;
    },
    give: (key, amount) => {
      const own = (taken.get(key) ?? 0) - amount;
      sum -= amount;
      if (own > 0) taken.set(key, own);
      else taken.delete(key);
    },
    takenBy: (key) => taken.get(key) ?? 0,
    isShareUsed: (key) => {
      const own = taken.get(key) ?? 0;
      return own > 0 && own >= total - sum;
    },
  };
}
