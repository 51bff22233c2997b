/** What became of tools' definitions: written with their pins and quarantine entries, and told with a record where it matters. */

import { nextSlice } from '../../flow/time-slices.ts';
import { hubCaller } from '../../shapes/access.ts';
import type { QuarantineEntry } from '../../shapes/quarantine.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import type { Transaction } from '../../stores/database.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import type { ToolPin, ToolPinStore } from '../../stores/tool-pin-store.ts';
import { spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { findingFields } from '../scan/subject.ts';
import { changedFields } from '../scan/tool-definition.ts';

/** What was decided for a definition of this digest. */
export interface Verdict {
  digest: string;
  offered: boolean;
}

/** What becomes of a definition: its verdict, and what is written and told of it. */
export interface Judgement {
  verdict: Verdict;
  pin: ToolPin | undefined;
  entry: QuarantineEntry | undefined;
  /** The digest that was pinned before, where this definition is another. */
  previousDigest: string | undefined;
}

/** A tool, and what became of its definition. */
export interface JudgedTool {
  tool: ToolDefinition;
  judgement: Judgement;
}

/** What is written through. */
export interface JudgementWriteDeps {
  pinStore: ToolPinStore;
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
}

/** What is written at once, before others have their turn: definitions only pinned, and those with a record each. */
const pinnedAtOnce = 50;
const toldAtOnce = 10;

/** Writes in few transactions what is only pinned; with a span and a record each what changed or is suspected. @throws HestiaError STORAGE_FAILED */
export async function writeJudgements(deps: JudgementWriteDeps, judgements: readonly JudgedTool[]): Promise<void> {
  const write = async (tx: Transaction, { pin, entry }: Judgement) => {
    if (pin) await deps.pinStore.put(tx, pin);
    if (entry) await deps.quarantineStore.put(tx, entry);
  };
  const told = judgements.filter(({ judgement }) => isTold(judgement));
  const silent = judgements.filter(({ judgement }) => !isTold(judgement) && (judgement.pin || judgement.entry));
  for (const batch of batches(silent, pinnedAtOnce)) {
    await nextSlice();
    await deps.trail.commit([], async (tx) => {
      for (const { judgement } of batch) await write(tx, judgement);
    });
  }
  for (const batch of batches(told, toldAtOnce)) {
    await nextSlice();
    await Promise.all(
      batch.map(({ tool, judgement }) =>
        inSpan(spanNames.toolAdmit, {}, (span) => {
          const happenings = eventsOf(tool, judgement).map((event) => ({ event, by: hubCaller, span }));
          return deps.trail.commit(happenings, (tx) => write(tx, judgement));
        }),
      ),
    );
  }
}

function* batches<T>(items: readonly T[], size: number): Generator<T[], void> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function isTold({ entry, previousDigest }: Judgement): boolean {
  return previousDigest !== undefined || isSuspected(entry);
}

function isSuspected(entry: QuarantineEntry | undefined): boolean {
  return entry?.findings.some(({ severity }) => severity === 'critical' || severity === 'high') ?? false;
}

function eventsOf({ serverId, toolName }: ToolDefinition, { verdict, entry, previousDigest }: Judgement) {
  const fields = {
    tool_name: toolName,
    server_id: serverId,
    agent_id: hubCaller.agentId,
    namespace: hubCaller.namespace,
    digest: verdict.digest,
    action: verdict.offered ? 'warn' : 'hold',
    quarantine_id: entry?.quarantineId,
  };
  const changed = {
    kind: 'security',
    name: 'TOOL_DEFINITION_CHANGED',
    failed: true,
    fields: { ...fields, previous_digest: previousDigest, changed_fields: changedFields(entry?.changes ?? []) },
  } as const;
  const suspected = {
    kind: 'security',
    name: 'TOOL_POISONING_SUSPECTED',
    failed: true,
    fields: { ...fields, ...findingFields(entry?.findings ?? []) },
  } as const;
  return [...(previousDigest === undefined ? [] : [changed]), ...(isSuspected(entry) ? [suspected] : [])];
}
