/** The answer to a rotation of the key that signs checkpoints. */
import { z } from 'zod';

/** The new verifier key (C2SP signed-note), the one it replaces, and until when that signs beside it. */
export const auditKeyRotationSchema = z.strictObject({
  vkey: z.string(),
  previous_vkey: z.string(),
  signs_until: z.iso.datetime(),
});
export type AuditKeyRotation = z.infer<typeof auditKeyRotationSchema>;
