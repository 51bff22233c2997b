/** `console` in the configuration: what the pages for people link to, and how they sign in at an issuer. */
import { z } from 'zod';

/** `console`. */
export const consoleSchema = z
  .strictObject({
    grafanaUrl: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .optional()
      .describe(
        'The URL of Grafana as browsers reach it. If set: the console links traces and boards there. Its data source for traces must have the uid `tempo`, as the provisioned one has.',
      ),
  })
  .prefault({});

/** The configuration of the console. */
export interface ConsoleConfiguration {
  grafanaUrl: string | undefined;
  /** The secret of the client at the issuer; undefined for a public client. */
  clientSecret: string | undefined;
}
