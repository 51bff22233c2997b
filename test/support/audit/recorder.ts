/** The writer of the trail with a real journal and a real database, without views and checkpoints. */
import { type Span, trace } from '@opentelemetry/api';
import { auditEntry } from '../../../src/domain/audit/entry.ts';
import { type AuditLedger, createAuditLedger } from '../../../src/domain/audit/ledger.ts';
import { createOutbox, type Outbox } from '../../../src/domain/audit/outbox.ts';
import { type AuditedEvent, type AuditTrail, createAuditTrail } from '../../../src/domain/audit/trail.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { JournalError } from '../../../src/journal/journal-error.ts';
import { hubCaller } from '../../../src/shapes/access.ts';
import type { AuditRecord } from '../../../src/shapes/audit.ts';
import type { HubEvent } from '../../../src/shapes/event.ts';
import { createOutboxStore, type OutboxStore } from '../../../src/stores/outbox-store.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createJournalFolder } from '../journal-folder.ts';
import { openStoreDatabase, type StoreDatabase } from '../store-database.ts';

/** A trail under test. Disposing closes it and deletes its files. */
export interface Recorder extends AsyncDisposable {
  store: StoreDatabase;
  journal: Journal;
  outbox: Outbox;
  outboxStore: OutboxStore;
  ledger: AuditLedger;
  trail: AuditTrail;
  /** The events reported to telemetry. */
  reported: HubEvent[];
  /** The messages of the log. */
  logged: string[];
  /** Lets the journal refuse appends, and its check of writes, until it is set back. */
  refuse(appends: boolean, checks?: boolean): void;
  records(): Promise<AuditRecord[]>;
}

/** Opens an empty trail. */
export async function openRecorder(auditMode: 'best-effort' | 'required' = 'best-effort'): Promise<Recorder> {
  const store = await openStoreDatabase();
  const folder = createJournalFolder();
  const real = await folder.open();
  const refusing = { appends: false, checks: false };
  const refusal = () => new JournalError('full', 'the disk of the journal is full');
  const journal: Journal = {
    ...real,
    append: async (build) => {
      if (refusing.appends) throw refusal();
      return real.append(build);
    },
    checkWritable: async () => {
      if (refusing.checks) throw refusal();
    },
  };
  const reported: HubEvent[] = [];
  const logged: string[] = [];
  const write = (message: string) => void logged.push(message);
  const log = {
    debug: write,
    info: write,
    warn: write,
    error: write,
    flush: () => undefined,
    close: async () => undefined,
  };
  const ledger = createAuditLedger(journal.size());
  const outboxStore = createOutboxStore(store.database);
  const { database } = store;
  const onAppended = ledger.appended;
  const outbox = createOutbox({ journal, database, outboxStore, onAppended, onWaiting: ledger.waits, log });
  const report = (event: HubEvent) => void reported.push(event);
  const shared = { database, journal, outbox, ledger, auditMode, report, log };
  const trail = createAuditTrail({ ...shared, writerId: 'writer_test', metrics: createMetrics(), now: Date.now });
  return {
    store,
    journal,
    outbox,
    outboxStore,
    ledger,
    trail,
    reported,
    logged,
    refuse: (appends, checks = appends) => void Object.assign(refusing, { appends, checks }),
    records: () => journalRecords(real),
    [Symbol.asyncDispose]: async () => {
      await outbox[Symbol.asyncDispose]();
      await real[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** All records of a journal. */
export async function journalRecords(journal: Journal): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  if (journal.firstSeq() > journal.size()) return records;
  for await (const page of journal.read({ from: journal.firstSeq(), to: journal.size() }))
    for (const { line } of page) records.push(JSON.parse(line));
  return records;
}

/** A change of the skill with this name, to record. */
export function skillChange(name: string, span: Span = trace.getTracer('test').startSpan('change')): AuditedEvent {
  return { event: { kind: 'change', name: 'SKILL_PUBLISHED', fields: { skill_name: name } }, by: hubCaller, span };
}

/** The entry of an event as the outbox stores it. */
export function queuedEntry(name: string, recordId: string) {
  return { ...auditEntry(skillChange(name), { writerId: 'writer_test', timeMs: 0 }), record_id: recordId };
}
