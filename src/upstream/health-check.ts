/** Periodic health checks of a connected server. They detect a dead session; the connection decides what follows. */
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { createRepeatedWork } from '../flow/repeated-work.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { Session } from './session.ts';

const timeoutMsMax = 10_000;

/** Dependencies of a health check. */
export interface HealthCheckDeps {
  session: Session;
  limits: Config['limits'];
  /** True while calls are running. A busy server need not answer in time. */
  isBusy(): boolean;
  /** Called once, when a check finds the session dead. */
  onDead(): void;
}

/** Health checks of one session, which end with it. */
export interface HealthCheck {
  /** Checks at once, for use after an error. Does nothing while a check is in progress. */
  checkNow(): void;
}

/** Starts the health checks of a session. */
export function startHealthChecks({ session, limits, isBusy, onDead }: HealthCheckDeps): HealthCheck {
  const timeout = Math.min(timeoutMsMax, limits.connectTimeoutMs);
  const checks = createRepeatedWork({
    run: async () => {
      const alive = await isAlive(session, timeout, isBusy);
      if (alive || session.ended.aborted) return;
      checks[Symbol.dispose]();
      onDead();
    },
    intervalMs: () => limits.healthCheckIntervalMs,
  });
  session.ended.addEventListener('abort', () => checks[Symbol.dispose]());
  checks.runIn(limits.healthCheckIntervalMs);
  return { checkNow: checks.runNow };
}

/** Pings the server. The 2026 protocol has no ping, so `server/discover` is sent instead. */
async function isAlive({ client, era }: Session, timeout: number, isBusy: () => boolean): Promise<boolean> {
  try {
    await (era === 'modern' ? client.discover({ timeout }) : client.ping({ timeout }));
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    if (!(error instanceof SdkError)) return false;
    if (error.code === SdkErrorCode.RequestTimeout) return isBusy();
    return error.code === SdkErrorCode.InvalidResult;
  }
}
