/** Periodic health checks of a connected server. They detect a dead session; the connection decides what follows. */
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
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
  let timer: NodeJS.Timeout | undefined;
  let checking = false;
  const check = async () => {
    clearTimeout(timer);
    if (checking || session.ended.aborted) return;
    checking = true;
    const alive = await isAlive(session, timeout, isBusy);
    checking = false;
    if (session.ended.aborted) return;
    if (alive) schedule();
    else onDead();
  };
  const schedule = () => {
    timer = setTimeout(check, limits.healthCheckIntervalMs).unref();
  };
  session.ended.addEventListener('abort', () => clearTimeout(timer));
  schedule();
  return { checkNow: () => void check() };
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
