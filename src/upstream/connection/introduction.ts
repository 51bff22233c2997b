/** What an upstream server declares about itself: its capabilities, its name and its instructions. */
import type { JsonObject } from '../../shapes/json.ts';
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

/** What the server of a session declared when it began. */
export function introductionOf({ client, era }: Session): ServerIntroduction {
  const info = client.getServerVersion();
  return {
    capabilities: { ...client.getServerCapabilities() },
    info: info && { ...info },
    instructions: client.getInstructions(),
    era,
  };
}
