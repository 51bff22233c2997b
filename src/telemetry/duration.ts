/** Timing of work with a monotonic clock, which changes of the system time do not affect. */
import { errorTypeOf } from './span.ts';

/** Called with the duration in seconds and, for work that threw, the type of the error. */
export type DurationRecorder = (seconds: number, errorType: string | undefined) => void;

/** Runs `work`, calls `record`, and returns the result or throws the error of `work`. */
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
