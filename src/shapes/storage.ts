/** The closed list of reasons for a database failure, which is also a metric label. */
import { z } from 'zod';

/**
 * `busy`: locked by another process; `full`: the disk is full; `readonly`, `io`, `corrupt`: as SQLite says;
 * `overload`: too many writes are queued; `other`: anything else, such as a row that does not parse.
 */
export const storageErrorTypeSchema = z.enum(['busy', 'full', 'readonly', 'io', 'corrupt', 'overload', 'other']);
export type StorageErrorType = z.infer<typeof storageErrorTypeSchema>;
