/** Dependencies of the hub as a whole: configuration, log, telemetry and clock. */
import type { Config } from '../shapes/configuration/config.ts';
import type { ConfigurationSource } from '../shapes/configuration/file/configuration-text.ts';
import type { Log } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/start.ts';
import type { createAudit } from './audit.ts';

/** Dependencies of the hub. Telemetry has started; `now` is the clock, in Unix milliseconds. */
export interface HubDeps {
  config: Config;
  /** The configuration file, for changes of servers while the hub runs. If unset: servers do not change. */
  configurationSource?: ConfigurationSource;
  version: string;
  log: Log;
  telemetry: Telemetry;
  now?: () => number;
  /** A monotonic clock, in milliseconds. Tests advance it together with `now`. */
  monotonicNow?: () => number;
  /** Replaces {@link createAudit} in benchmarks that measure the cost of the audit trail. */
  createAudit?: typeof createAudit;
}
