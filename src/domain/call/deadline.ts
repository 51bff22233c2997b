/** Ends a tool call early: at its deadline, by its caller, with the caller's key, or at the shutdown. */
import { unlessAborted } from '../../flow/time-limit.ts';

/** Why the hub ended a call. */
export type EndReason = 'timeout' | 'caller' | 'credential' | 'shutdown';

/** The deadline of one call. Close it when the call is over. */
export interface CallDeadline {
  /** Aborts for each of these reasons; the upstream server is called with it. */
  signal: AbortSignal;
  /** Begins the timeout anew, after progress. It never ends later than `timeoutMsMax` after the start. */
  extend(): void;
  /** The first reason that applied, if any did. */
  reason(): EndReason | undefined;
  /** Settles with `work`, or rejects as soon as the signal aborts, whatever `work` does afterwards. */
  race<T>(work: Promise<T>): Promise<T>;
  close(): void;
}

/** When a call ends: times in milliseconds, and the signals that end it earlier. */
export interface DeadlineOptions {
  timeoutMs: number;
  timeoutMsMax: number;
  caller: AbortSignal;
  /** Aborts when the key or access token of the caller ends; undefined for one that has none. */
  credential?: AbortSignal | undefined;
  shutdown: AbortSignal;
}

/** Starts the deadline. */
export function openDeadline(options: DeadlineOptions): CallDeadline {
  const startedAt = performance.now();
  const controller = new AbortController();
  let reason: EndReason | undefined;
  const end = (why: EndReason) => {
    reason ??= why;
    controller.abort();
  };
  const onCaller = () => end('caller');
  const onCredential = () => end('credential');
  const onShutdown = () => end('shutdown');
  const onTimeout = () => end('timeout');
  let timer = setTimeout(onTimeout, options.timeoutMs);
  options.caller.addEventListener('abort', onCaller, { once: true });
  options.credential?.addEventListener('abort', onCredential, { once: true });
  options.shutdown.addEventListener('abort', onShutdown, { once: true });
  if (options.caller.aborted) onCaller();
  if (options.credential?.aborted) onCredential();
  if (options.shutdown.aborted) onShutdown();
  return {
    signal: controller.signal,
    extend: () => {
      if (controller.signal.aborted) return;
      clearTimeout(timer);
      const leftMs = options.timeoutMsMax - (performance.now() - startedAt);
      timer = setTimeout(onTimeout, Math.max(0, Math.min(options.timeoutMs, leftMs)));
    },
    reason: () => reason,
    race: (work) => unlessAborted(work, controller.signal),
    close: () => {
      clearTimeout(timer);
      options.caller.removeEventListener('abort', onCaller);
      options.credential?.removeEventListener('abort', onCredential);
      options.shutdown.removeEventListener('abort', onShutdown);
    },
  };
}

/** A listener that extends the deadline with each progress. Without `onProgress` the server is asked for none. */
export function extendedByProgress<Progress>(
  deadline: CallDeadline,
  onProgress: ((progress: Progress) => void) | undefined,
): ((progress: Progress) => void) | undefined {
  if (onProgress === undefined) return undefined;
  return (progress) => {
    deadline.extend();
    onProgress(progress);
  };
}
