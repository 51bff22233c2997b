/** The audit trail put together: what writes it, signs it, watches it and proves from it, over the same stores and keys. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { hubCaller } from '../shapes/access.ts';
import { type AuditCheckpointStore, createAuditCheckpointStore } from '../stores/audit-checkpoint-store.ts';
import { loadAuditKeys } from '../stores/audit-key-store.ts';
import { type AuditStore, createAuditStore } from '../stores/audit-store.ts';
import type { Database } from '../stores/database.ts';
import type { EventReport } from '../telemetry/event-report.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AuditAlarm } from './audit-alarm.ts';
import { createAuditAlarm } from './audit-alarm.ts';
import { type CheckpointSigner, createCheckpointSigner, type VerifyingKey, verifyingKey } from './audit-checkpoint.ts';
import { type AuditCheckpointer, createAuditCheckpointer } from './audit-checkpointer.ts';
import { type ContentDigest, createContentDigest } from './audit-digest.ts';
import { createAuditLedger } from './audit-ledger.ts';
import type { TrailSources } from './audit-lines.ts';
import { type AuditProver, createAuditProver } from './audit-prover.ts';
import { type AuditTrail, type AuditTrailDeps, createAuditTrail } from './audit-trail.ts';
import { type AuditWatch, createAuditWatch } from './audit-watch.ts';

/** What the parts are made of. */
export interface AuditPartsDeps {
  database: Database;
  /** Where the key files are, or are made. */
  keyDirectory: string;
  settings: { checkpointRecords: number; checkpointSeconds: number; auditMode: AuditTrailDeps['auditMode'] };
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** The parts. */
export interface AuditParts {
  auditStore: AuditStore;
  checkpointStore: AuditCheckpointStore;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  signer: CheckpointSigner;
  checkpointer: AuditCheckpointer;
  auditWatch: AuditWatch;
  alarm: AuditAlarm;
  prover: AuditProver;
  sources: TrailSources;
  verifyWith: VerifyingKey;
  /** Puts on record with which configuration and version the hub runs, the former as a keyed digest, and begins to sign. */
  startAudit(started: { configuration: object; version: string }): Promise<void>;
}

/**
 * Makes the parts, and the key files where the trail is new; nothing is written before the trail is used.
 * @throws AuditKeyError
 */
export function createAuditParts(deps: AuditPartsDeps): AuditParts {
  const { database, settings } = deps;
  const auditStore = createAuditStore(database);
  const checkpointStore = createAuditCheckpointStore(database);
  const keys = loadAuditKeys({ directory: deps.keyDirectory, mayCreate: checkpointStore.isEmpty() });
  const ledger = createAuditLedger();
  const trail = createAuditTrail({ ...deps, auditStore, ledger, auditMode: settings.auditMode });
  const contentDigest = createContentDigest(keys.digestKey);
  const alarm = createAuditAlarm({ trail, now: deps.now });
  const signer = createCheckpointSigner(keys.signingKey);
  const verifyWith = verifyingKey(signer.key.public_key);
  const sources = { auditStore, checkpointStore, key: signer.key };
  const checkpointer = createAuditCheckpointer({ ...deps, ...sources, signer, verifyWith, ledger, alarm });
  return {
    auditStore,
    checkpointStore,
    signer,
    trail,
    contentDigest,
    checkpointer,
    auditWatch: createAuditWatch({ sources, verifyWith, checkpointer, alarm }),
    alarm,
    prover: createAuditProver(sources),
    sources,
    verifyWith,
    startAudit: async ({ configuration, version }) => {
      const fields = { hub_version: version, configuration_digest: contentDigest(configuration) };
      const event = { kind: 'change', name: 'CONFIGURATION_LOADED', fields } as const;
      await inSpan('configuration.load', { parent: ROOT_CONTEXT }, (span) =>
        trail.record({ event, by: hubCaller, span }),
      );
      checkpointer.start();
    },
  };
}
