/** The closed list of reasons for a database failure, which is also a metric label. */

/**
 * `busy`: locked by another process; `full`: the disk is full; `readonly`, `io`, `corrupt`: as SQLite says;
 * `overload`: too many writes are queued; `other`: anything else, such as a row that does not parse.
 */
export const storageErrorTypes = ['busy', 'full', 'readonly', 'io', 'corrupt', 'overload', 'other'] as const;
/** One reason of the closed list. */
export type StorageErrorType = (typeof storageErrorTypes)[number];
