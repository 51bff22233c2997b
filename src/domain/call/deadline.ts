/** Why a call must end before its tool has answered: the deadline, the caller, or the hub's own shutdown. */

/** What ended a call from our side. */
export type EndReason = 'timeout' | 'caller' | 'shutdown';

/** One call's clock. Close it when the call is over. */
export interface CallDeadline {
  /** Aborts for any of the three reasons; hand it to the upstream. */
  signal: AbortSignal;
  /** Which of them came first, if any did. */
  reason(): EndReason | undefined;
  /** Settles with `work`, or rejects as soon as the signal aborts, whatever `work` does afterwards. */
  race<T>(work: Promise<T>): Promise<T>;
  close(): void;
}

/** Starts the clock; `timeoutMs` is in milliseconds. */
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
    race: async (work) => {
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const onAbort = () => reject(new Error('the call was ended'));
      if (controller.signal.aborted) onAbort();
      controller.signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([work, aborted]);
      } finally {
        controller.signal.removeEventListener('abort', onAbort);
        work.catch(() => undefined);
        aborted.catch(() => undefined);
      }
    },
    close: () => {
      clearTimeout(timer);
      options.caller.removeEventListener('abort', onCaller);
      options.shutdown.removeEventListener('abort', onShutdown);
    },
  };
}
