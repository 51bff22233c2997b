/** The configuration of the audit trail's checkpoints, keys and witnesses. */
import { z } from 'zod';

/** A witness: the prefix of its URLs, and the key that its cosignatures verify against. */
const witnessSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .describe('The submission prefix; `/add-checkpoint` follows it.'),
  vkey: z
    .string()
    .regex(/^[^\s+]+\+[0-9a-f]{8}\+B[A-Za-z0-9+/]+=*$/, 'must be a verifier key of type 4 (C2SP tlog-cosignature)')
    .describe('The verifier key of its cosignatures, Ed25519.'),
});

/** The key `audit` of the configuration. */
export const auditConfigurationSchema = z
  .strictObject({
    checkpointRecords: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Records after which a checkpoint of the audit trail is signed.'),
    checkpointSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('Seconds after which a checkpoint is signed for fewer records.'),
    headFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The second copy of the last signed checkpoint, on another volume at best. If unset: `audit.head` in the data directory.',
      ),
    origin: z
      .string()
      .regex(/^[^\s+]{1,128}$/, 'must have 1 to 128 characters without spaces and "+"')
      .optional()
      .describe(
        'The name of the log in checkpoints, which must not change later. If unset: `hestia/` with the id of the writer.',
      ),
    keyOverlapDays: z
      .number()
      .positive()
      .max(3650)
      .default(30)
      .describe('Days in which a key that was replaced signs checkpoints beside its successor.'),
    witnesses: z
      .array(witnessSchema)
      .max(16)
      .default([])
      .describe('Witnesses (C2SP tlog-witness) that checkpoints are submitted to, and whose cosignatures are kept.'),
  })
  .prefault({});
