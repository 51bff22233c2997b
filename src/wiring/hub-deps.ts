/** Dependencies of the whole hub: what the process brings before anything is built. */
import type { Config } from '../shapes/configuration/config.ts';
import type { Log } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/start.ts';
import type { createAudit } from './audit.ts';

/** Dependencies of the hub. Telemetry has started; `now` is the clock, in Unix milliseconds. */
export interface HubDeps {
  config: Config;
  version: string;
  log: Log;
  telemetry: Telemetry;
  now?: () => number;
  /** Replaces {@link createAudit}, so that the cost of the audit trail can be measured. */
  createAudit?: typeof createAudit;
}
