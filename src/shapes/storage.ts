/** Why the database failed, as a closed list: it is a metric label. */
import { z } from 'zod';

/**
 * `busy`: locked by another process; `full`: the disk is full; `readonly`, `io`, `corrupt`: as SQLite says;
 * `overload`: too many writes wait; `other`: anything else, such as a row that does not parse.
 */
export const storageErrorTypeSchema = z.enum(['busy', 'full', 'readonly', 'io', 'corrupt', 'overload', 'other']);
export type StorageErrorType = z.infer<typeof storageErrorTypeSchema>;
