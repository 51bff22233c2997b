/** Builds the audit trail: the journal with its views, and what writes, signs and deletes records. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { type AuditAlarm, createAuditAlarm } from '../domain/audit/alarm.ts';
import { type ContentDigest, createContentDigest } from '../domain/audit/digest.ts';
import { createKeyRotator, type KeyRotator } from '../domain/audit/key-rotation.ts';
import { createAuditLedger } from '../domain/audit/ledger.ts';
import { createLogCheckpointer, type LogCheckpointer } from '../domain/audit/log-checkpointer.ts';
import { createLogWitnesses, type LogWitnessesDeps } from '../domain/audit/log-witnesses.ts';
import { createOutbox } from '../domain/audit/outbox.ts';
import { checkQueuedRotations } from '../domain/audit/own-rotations.ts';
import { type AuditRetention, createAuditRetention } from '../domain/audit/retention.ts';
import { type AuditTrail, type AuditTrailDeps, createAuditTrail } from '../domain/audit/trail.ts';
import type { TrailSources } from '../domain/audit/verification/trail-lines.ts';
import { readCheckpoints } from '../journal/checkpoint-reader.ts';
import type { Journal } from '../journal/journal.ts';
import { JournalOpenError } from '../journal/journal-error.ts';
import type { SigningKeys } from '../journal/signing-keys.ts';
import { hubCaller } from '../shapes/access.ts';
import type { AuditKey } from '../shapes/audit-log/proof.ts';
import { readWriterId } from '../stores/audit-writer-store.ts';
import type { Database } from '../stores/database.ts';
import { createOutboxStore } from '../stores/outbox-store.ts';
import { createRetentionClockStore } from '../stores/retention-clock-store.ts';
import { type AuditViews, createAuditViews } from '../stores/views/audit-views.ts';
import type { EventReport } from '../telemetry/event-report.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { inSpan } from '../telemetry/span.ts';
import { defaultOrigin, type JournalPlace, openSignedJournal } from './journal.ts';

/** Dependencies of the audit trail. */
export interface AuditDeps {
  database: Database;
  /** Where the journal, the views and the key files are, which are created for a new trail. */
  place: JournalPlace;
  settings: AuditSettings;
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
  monotonicNow: () => number;
}

/** The configuration of the audit trail. */
export interface AuditSettings {
  checkpointRecords: number;
  checkpointSeconds: number;
  auditMode: AuditTrailDeps['auditMode'];
  auditDays: number;
  durability: 'normal' | 'full';
  /** The name of the log. By default it is derived from the writer's id. */
  origin: string | undefined;
  keyOverlapDays: number;
  witnesses: LogWitnessesDeps['witnesses'];
}

/** The parts of the audit trail. */
export interface Audit {
  journal: Journal;
  views: AuditViews;
  trail: AuditTrail;
  retention: AuditRetention;
  contentDigest: ContentDigest;
  checkpointer: LogCheckpointer;
  alarm: AuditAlarm;
  keyRotator: KeyRotator;
  /** What the lines of an export are read from. */
  sources: TrailSources;
  /** The public keys that sign checkpoints now. */
  key: () => AuditKey;
  /** Records the version of the hub and a keyed digest of its configuration, and starts the checkpointer. */
  start(started: { configuration: object; version: string }): Promise<void>;
  /** Writes what waits, signs the trail, and closes the journal and the views. */
  close(): Promise<void>;
}

const dayMs = 86_400_000;
/** How often the ledger is compared with the journal, in milliseconds. */
const reconcileMs = 1000;

/**
 * Opens the journal, creates the parts, and appends what an earlier process left in the outbox. Creates the key files for a new
 * trail.
 * @throws AuditKeyError, JournalOpenError
 */
export async function createAudit(deps: AuditDeps): Promise<Audit> {
  const { database, settings, log, now, monotonicNow } = deps;
  const stored = await openStored(deps);
  const { journal, views, place, origin, writerId, signingKeys } = stored;
  const recording = await createRecording(deps, stored);
  const { trail } = recording;
  const { checkpointer, keyRotator, witnesses } = createSigning(deps, stored, trail);
  const contentDigest = createContentDigest(stored.keys.digestKey);
  const retention = createAuditRetention({
    journal,
    views,
    database,
    retentionClockStore: createRetentionClockStore(database),
    trail,
    coveredSize: () => checkpointer.newest()?.size ?? 0,
    sign: checkpointer.runNow,
    pruneCheckpoints: checkpointer.prune,
    auditDays: settings.auditDays,
    now,
    monotonicNow,
  });
  const parts = { journal, views, trail, retention, contentDigest, checkpointer, keyRotator };
  return {
    ...parts,
    alarm: createAuditAlarm({ trail, now }),
    sources: {
      journal,
      checkpoints: (range) => readCheckpoints(place.directory, range),
      origin,
      writerId,
      vkeys: () => signingKeys.signers().map(({ vkey }) => vkey),
    },
    key: () => auditKey(origin, signingKeys),
    start: async (started) => {
      await retention.observe();
      await recordStart(parts, { ...started, unsignedRecords: stored.unsignedRecords });
      await keyRotator.resume().catch((error: unknown) => {
        log.error('An interrupted rotation of the signing key could not be completed', {}, { error });
      });
      checkpointer.start();
    },
    close: async () => {
      await recording.close();
      await checkpointer.stop();
      await witnesses[Symbol.asyncDispose]();
      await views[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
    },
  };
}

type Stored = Awaited<ReturnType<typeof openStored>>;

/** Builds what writes records, and appends what an earlier process left in the outbox. */
async function createRecording(
  { database, settings, report, metrics, log, now }: AuditDeps,
  { journal, writerId, place, signingKeys }: Stored,
) {
  const ledger = createAuditLedger(journal.size());
  const outboxStore = createOutboxStore(database);
  const onAppended = () => {
    ledger.appended();
    metrics.auditRecord();
  };
  const outbox = createOutbox({ journal, database, outboxStore, onAppended, onWaiting: ledger.waits, log });
  const left = (await outboxStore.list()).map(({ entry }) => entry);
  checkQueuedRotations(left, { directory: place.directory, ownVkeys: signingKeys.ownVkeys() });
  await outbox.recover();
  const { auditMode } = settings;
  const trail = createAuditTrail({ database, journal, outbox, ledger, writerId, auditMode, report, metrics, log, now });
  // Each run is a turn of the event loop of its own, in which every record in the journal is counted.
  const reconciliation = setInterval(() => ledger.reconcile(journal.size()), reconcileMs).unref();
  const close = async () => {
    clearInterval(reconciliation);
    await trail.refusals.flush();
    await outbox[Symbol.asyncDispose]();
  };
  return { trail, close };
}

/** Builds what signs the trail. */
function createSigning(
  { settings, report, metrics, log, now }: AuditDeps,
  { journal, checkpointFiles: files, origin, signingKeys }: Stored,
  trail: AuditTrail,
) {
  const { signers } = signingKeys;
  const checkpointer = createLogCheckpointer({ journal, files, origin, signers, report, log, settings, now });
  const witnesses = createLogWitnesses({ ...settings, checkpointer, tree: journal.tree, metrics, log });
  checkpointer.onSigned(() => dropExpiredKeys(signingKeys, log));
  const keyRotator = createKeyRotator({ keys: signingKeys, trail, checkpointer, log });
  return { checkpointer, witnesses, keyRotator };
}

/** Runs an opening. A journal that is not what was signed raises the alarm in the log, before the hub refuses to start. */
export async function alarmIfBroken<T>(
  { report, log }: Pick<AuditDeps, 'report' | 'log'>,
  opening: () => Promise<T>,
): Promise<T> {
  try {
    return await opening();
  } catch (error) {
    if (error instanceof JournalOpenError && error.isBroken) {
      const fields = { agent_id: hubCaller.agentId, reason: error.message };
      await inSpan('audit.alarm', { parent: ROOT_CONTEXT }, async (span) =>
        report({ kind: 'security', name: 'AUDIT_CHAIN_BROKEN', failed: true, fields }, span),
      );
      log.flush();
    }
    throw error;
  }
}

/** Opens what is stored: the journal with its keys and checkpoints, and the views. */
async function openStored(deps: AuditDeps) {
  const { database, place, settings, metrics, log, now, monotonicNow } = deps;
  const writerId = readWriterId(database);
  const origin = settings.origin ?? defaultOrigin(writerId);
  const opened = await openSignedJournal(place, {
    origin,
    overlapMs: settings.keyOverlapDays * dayMs,
    durability: settings.durability,
    onFailure: ({ type }) => metrics.storageFailure(type),
    now,
    elapsedMs: monotonicNow,
  });
  const { journal } = opened;
  if (journal.tornBytes > 0)
    log.warn('An incomplete line at the end of the journal was cut', { torn_bytes: journal.tornBytes });
  const views = createAuditViews({
    file: join(place.dataDirectory, 'views.db'),
    journalDirectory: place.directory,
    journal,
    log,
    onFailure: metrics.storageFailure,
  });
  return { ...opened, place, views, writerId, origin };
}

function auditKey(origin: string, keys: SigningKeys): AuditKey {
  const publicKey = keys.publicKey();
  return {
    origin,
    algorithm: 'Ed25519',
    key_id: hash('sha256', publicKey.export({ type: 'spki', format: 'der' })),
    public_key: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    vkeys: keys.signers().map(({ vkey }) => vkey),
  };
}

function dropExpiredKeys(keys: SigningKeys, log: Log): void {
  try {
    keys.dropExpired();
  } catch (error) {
    log.warn('A replaced key that no longer signs could not be deleted', {}, { error });
  }
}

async function recordStart(
  { journal, trail, contentDigest }: Pick<Audit, 'journal' | 'trail' | 'contentDigest'>,
  { configuration, version, unsignedRecords }: { configuration: object; version: string; unsignedRecords: number },
): Promise<void> {
  const tornBytes = journal.tornBytes > 0 ? journal.tornBytes : undefined;
  const fields = {
    hub_version: version,
    configuration_digest: contentDigest(configuration),
    torn_bytes: tornBytes,
    unsigned_records: unsignedRecords > 0 ? unsignedRecords : undefined,
  };
  const event = { kind: 'change', name: 'CONFIGURATION_LOADED', fields } as const;
  await inSpan('configuration.load', { parent: ROOT_CONTEXT }, (span) => trail.record({ event, by: hubCaller, span }));
}
