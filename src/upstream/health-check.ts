/** Asks a connected server every so often whether it is there. Decides only that a session is dead, not what then. */
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import type { Config } from '../shapes/configuration/config.ts';
import type { Session } from './session.ts';

const timeoutMsMax = 10_000;

/** What a health check watches. */
export interface HealthCheckDeps {
  session: Session;
  limits: Config['limits'];
  /** True while calls are under way: a server at work need not answer in time. */
  isBusy(): boolean;
  /** Called once, when the session is found dead. */
  onDead(): void;
}

/** A watch that ends with its session. */
export interface HealthCheck {
  /** Asks now; for when something looked wrong. Asking twice at a time asks once. */
  checkNow(): void;
}

/** Begins to watch a session. */
export function watchHealth({ session, limits, isBusy, onDead }: HealthCheckDeps): HealthCheck {
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

/** The 2026 protocol has no ping; there, asking what the server offers takes its place. */
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
