/** Ends a tool call early: at its deadline, when its caller cancels it, or at the hub's shutdown. */
import { unlessAborted } from '../../flow/time-limit.ts';

/** Why the hub ended a call. */
export type EndReason = 'timeout' | 'caller' | 'shutdown';

/** The deadline of one call. Close it when the call is over. */
export interface CallDeadline {
  /** Aborts for each of the three reasons; the upstream server is called with it. */
  signal: AbortSignal;
  /** The first reason that applied, if any did. */
  reason(): EndReason | undefined;
  /** Settles with `work`, or rejects as soon as the signal aborts, whatever `work` does afterwards. */
  race<T>(work: Promise<T>): Promise<T>;
  close(): void;
}

/** Starts the deadline; `timeoutMs` is in milliseconds. */
export function openDeadline(options: { timeoutMs: number; caller: AbortSignal; shutdown: AbortSignal }): CallDeadline {
  const controller = new AbortController();
  let reason: EndReason | undefined;
  const end = (why: EndReason) => {
    reason ??= why;
    controller.abort();
  };
  const onCaller = () => end('caller');
  const onShutdown = () => end('shutdown');
  const timer = setTimeout(() => end('timeout'), options.timeoutMs);
  options.caller.addEventListener('abort', onCaller, { once: true });
  options.shutdown.addEventListener('abort', onShutdown, { once: true });
  if (options.caller.aborted) onCaller();
  if (options.shutdown.aborted) onShutdown();
  return {
    signal: controller.signal,
    reason: () => reason,
    race: (work) => unlessAborted(work, controller.signal),
    close: () => {
      clearTimeout(timer);
      options.caller.removeEventListener('abort', onCaller);
      options.shutdown.removeEventListener('abort', onShutdown);
    },
  };
}
