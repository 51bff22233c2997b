/** Builds the audit trail: writer, checkpointer, verification and proofs over the same stores and keys. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { AuditAlarm } from '../domain/audit/alarm.ts';
import { createAuditAlarm } from '../domain/audit/alarm.ts';
import {
  type CheckpointSigner,
  createCheckpointSigner,
  type VerifyingKey,
  verifyingKey,
} from '../domain/audit/checkpoint.ts';
import { type AuditCheckpointer, createAuditCheckpointer } from '../domain/audit/checkpointer.ts';
import { type ContentDigest, createContentDigest } from '../domain/audit/digest.ts';
import { createAuditLedger } from '../domain/audit/ledger.ts';
import { type AuditProver, createAuditProver } from '../domain/audit/prover.ts';
import { createScheduledVerification, type ScheduledVerification } from '../domain/audit/scheduled-verification.ts';
import { type AuditTrail, type AuditTrailDeps, createAuditTrail } from '../domain/audit/trail.ts';
import type { TrailSources } from '../domain/audit/trail-lines.ts';
import { hubCaller } from '../shapes/access.ts';
import { type AuditCheckpointStore, createAuditCheckpointStore } from '../stores/audit-checkpoint-store.ts';
import { loadAuditKeys } from '../stores/audit-key-store.ts';
import { type AuditStore, createAuditStore } from '../stores/audit-store.ts';
import type { Database } from '../stores/database.ts';
import type { EventReport } from '../telemetry/event-report.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { inSpan } from '../telemetry/span.ts';

/** Dependencies of the audit trail. */
export interface AuditDeps {
  database: Database;
  /** The folder of the key files, which are created there for a new trail. */
  keyDirectory: string;
  settings: { checkpointRecords: number; checkpointSeconds: number; auditMode: AuditTrailDeps['auditMode'] };
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** The parts of the audit trail. */
export interface Audit {
  auditStore: AuditStore;
  checkpointStore: AuditCheckpointStore;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  signer: CheckpointSigner;
  checkpointer: AuditCheckpointer;
  scheduledVerification: ScheduledVerification;
  alarm: AuditAlarm;
  prover: AuditProver;
  sources: TrailSources;
  verifyWith: VerifyingKey;
  /** Records the version of the hub and a keyed digest of its configuration, and starts the checkpointer. */
  start(started: { configuration: object; version: string }): Promise<void>;
}

/**
 * Creates the parts, and the key files for a new trail. Writes nothing to the database before the trail is used.
 * @throws AuditKeyError
 */
export function createAudit(deps: AuditDeps): Audit {
  const { database, settings, report, metrics, log, now } = deps;
  const auditStore = createAuditStore(database);
  const checkpointStore = createAuditCheckpointStore(database);
  const keys = loadAuditKeys({ directory: deps.keyDirectory, mayCreate: checkpointStore.isEmpty() });
  const ledger = createAuditLedger();
  const { auditMode } = settings;
  const trail = createAuditTrail({ database, auditStore, ledger, auditMode, report, metrics, log, now });
  const contentDigest = createContentDigest(keys.digestKey);
  const alarm = createAuditAlarm({ trail, now });
  const signer = createCheckpointSigner(keys.signingKey);
  const verifyWith = verifyingKey(signer.key.public_key);
  const sources = { auditStore, checkpointStore, key: signer.key };
  const checkpointer = createAuditCheckpointer({
    database,
    auditStore,
    checkpointStore,
    signer,
    verifyWith,
    ledger,
    alarm,
    report,
    log,
    settings,
    now,
  });
  return {
    auditStore,
    checkpointStore,
    signer,
    trail,
    contentDigest,
    checkpointer,
    scheduledVerification: createScheduledVerification({ sources, verifyWith, checkpointer, alarm }),
    alarm,
    prover: createAuditProver(sources),
    sources,
    verifyWith,
    start: async ({ configuration, version }) => {
      const fields = { hub_version: version, configuration_digest: contentDigest(configuration) };
      const event = { kind: 'change', name: 'CONFIGURATION_LOADED', fields } as const;
      await inSpan('configuration.load', { parent: ROOT_CONTEXT }, (span) =>
        trail.record({ event, by: hubCaller, span }),
      );
      checkpointer.start();
    },
  };
}
