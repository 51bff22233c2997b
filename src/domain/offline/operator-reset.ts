/**
 * Replaces a lost operator's key in the data directory of a stopped hub.
 * The records of the change are stored with it, as those of a hub that stopped before it could append them: the next start
 * appends them to the journal.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { writePrivateFile } from '../../flow/private-file.ts';
import { type ApiKey, type Caller, hubCaller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { newId } from '../../shapes/id.ts';
import { createAccessStore } from '../../stores/access-store.ts';
import { readWriterId } from '../../stores/audit-writer-store.ts';
import { lockDataDirectory } from '../../stores/data-lock.ts';
import { type Database, isCurrentDatabase, openDatabase } from '../../stores/database.ts';
import { createOutboxStore } from '../../stores/outbox-store.ts';
import { secretDigest } from '../access/authentication.ts';
import { firstKey, keyFields, newKey } from '../access/new-key.ts';
import { auditEntry } from '../audit/entry.ts';

/** The new key, and the keys that no longer work. */
export interface OperatorReset {
  keyId: string;
  keyFile: string;
  revokedKeyIds: string[];
}

/** Keys that one read returns. */
const keysMax = 1_000_000;

/**
 * Creates a key for the agent `operator`, writes it to `operator.key`, and revokes the keys that the agent had.
 * @throws HestiaError NOT_FOUND where there is no database, CONFLICT for one of another version; DatabaseOpenError if a hub is
 *   using the data directory; Error of the file system
 */
export async function resetOperator({
  dataDirectory,
  now,
}: {
  dataDirectory: string;
  /** In Unix milliseconds. */
  now: number;
}): Promise<OperatorReset> {
  const file = join(dataDirectory, 'hestia.db');
  if (!existsSync(file)) throw new HestiaError('NOT_FOUND', `${dataDirectory}: holds no data of a hub`);
  using _lock = lockDataDirectory({ databaseFile: file });
  if (!isCurrentDatabase(file)) {
    throw new HestiaError('CONFLICT', `${file}: is of another version of Hestia; start the hub once, then try again`);
  }
  await using database = openDatabase({ file });
  const accessStore = createAccessStore(database);
  const all = await accessStore.listKeys({ limit: keysMax });
  const replaced = all.filter(isOperators);
  const { key, secret } = newKey(firstKey, now);
  const keyFile = join(dataDirectory, 'operator.key');
  await database.transaction(async (tx) => {
    await accessStore.insertKey(tx, { key, secretHash: secretDigest(secret) });
    for (const { keyId } of replaced) await accessStore.revokeKey(tx, keyId, now);
    const records = recordsOf(database, [
      ...replaced.map((changed) => ({ name: 'KEY_REVOKED' as const, changed })),
      { name: 'KEY_CREATED' as const, changed: key },
    ]);
    for (const entry of records(now)) await createOutboxStore(database).insert(tx, { entry, journalSize: 0 });
    writePrivateFile(keyFile, `${secret}\n`);
  });
  return { keyId: key.keyId, keyFile, revokedKeyIds: replaced.map(({ keyId }) => keyId) };
}

function isOperators({ agentId, role, revokedAt }: ApiKey): boolean {
  return agentId === firstKey.agentId && role === 'operator' && revokedAt === undefined;
}

/** Whom the records name: someone who may write to the data directory. */
const resetCaller: Caller = { ...hubCaller, keyId: 'reset' };

/** The records of changed keys, in one trace. */
function recordsOf(database: Database, changes: { name: 'KEY_REVOKED' | 'KEY_CREATED'; changed: ApiKey }[]) {
  const span = trace.wrapSpanContext({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    traceFlags: 1,
  });
  const writerId = readWriterId(database);
  return (timeMs: number) =>
    changes.map(({ name, changed }) => {
      const event = { kind: 'security', name, failed: false, fields: keyFields(changed) } as const;
      return { ...auditEntry({ event, by: resetCaller, span }, { writerId, timeMs }), record_id: newId('rec') };
    });
}
