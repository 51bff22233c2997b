/** Timing: runs work and tells how long it took and how it failed. Monotonic, so a clock set back does not show. */
import { errorTypeOf } from './span.ts';

/** Is told the duration in seconds and, for work that threw, the type of the error. */
export type DurationRecorder = (seconds: number, errorType: string | undefined) => void;

/** Runs `work`, tells `record` how it went, and passes the result or the error on. */
export async function timed<T>(record: DurationRecorder, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    const result = await work();
    record((performance.now() - startedAt) / 1000, undefined);
    return result;
  } catch (error) {
    record((performance.now() - startedAt) / 1000, errorTypeOf(error));
    throw error;
  }
}
