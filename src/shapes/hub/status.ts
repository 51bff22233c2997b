/** The status of the hub in an answer. */
import { z } from 'zod';
import { schedulerViewSchema } from '../scheduler.ts';

/** The status in an answer. */
export const hubStatusViewSchema = z
  .object({
    version: z.string(),
    uptimeSeconds: z.number(),
    serversConnected: z.int(),
    serversTotal: z.int(),
    serversMisconfigured: z.int(),
    toolsCount: z.int().meta({ description: 'Tools that the caller can find.' }),
    skillsActive: z.int().meta({ description: "Active skills of the caller's namespace that have a tool." }),
    callsRunning: z.int(),
    auditGap: z.int().meta({ description: 'Operations that were counted but are not recorded. Must be 0.' }),
    scheduler: schedulerViewSchema,
  })
  .meta({ id: 'HubStatus' });
