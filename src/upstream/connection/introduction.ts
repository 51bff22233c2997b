/** What an upstream server declares about itself: its capabilities, its name and its instructions. */
import type { JsonObject } from '../../shapes/json.ts';
import type { UpstreamLog } from '../log.ts';
import { valueLength } from '../response-limits.ts';
import type { Session } from '../session.ts';

/** What a server declares when a session begins. Its texts are those of the server. */
export interface ServerIntroduction {
  /** Unchecked. */
  capabilities: JsonObject;
  info: JsonObject | undefined;
  instructions: string | undefined;
  /** `modern` from protocol 2026-07-28. */
  era: 'legacy' | 'modern';
}

/** What the server of a session declared when it began. A part that is longer than a tool may be is left out. */
export function introductionOf(
  { client, era }: Session,
  { serverId, limits, log }: { serverId: string; limits: { toolLengthMax: number }; log: UpstreamLog },
): ServerIntroduction {
  const lengthMax = limits.toolLengthMax;
  const fits = (value: unknown) => valueLength(value, lengthMax) <= lengthMax;
  const info = client.getServerVersion();
  const instructions = client.getInstructions();
  const declared = Object.entries({ ...client.getServerCapabilities() });
  const capabilities = declared.filter(([, capability]) => fits(capability));
  const refusedCount =
    declared.length - capabilities.length + [info, instructions].filter((text) => !fits(text)).length;
  if (refusedCount > 0) {
    const message = 'Parts of what an upstream server says about itself are too long';
    log.warn(message, { server_id: serverId, refused_count: refusedCount });
  }
  return {
    capabilities: Object.fromEntries(capabilities),
    info: info && fits(info) ? { ...info } : undefined,
    instructions: fits(instructions) ? instructions : undefined,
    era,
  };
}
