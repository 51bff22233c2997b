/** Screening results of tool definitions: writes their pins, quarantine entries and audit events. */

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
import { isImitation } from '../scan/rules/imitation.ts';
import { findingFields } from '../scan/subject.ts';
import { changedFields } from '../scan/tool-definition.ts';
import type { ScreeningEvents } from './screening-events.ts';

/** Whether the definition with this digest is offered to agents. */
export interface Verdict {
  digest: string;
  offered: boolean;
  /** Set for a tool that cannot be pinned, since too many names of its server are. */
  isUnpinned?: true;
}

/** The result of screening a definition: its verdict, and what is written for it. */
export interface ScreeningResult {
  verdict: Verdict;
  pin: ToolPin | undefined;
  entry: QuarantineEntry | undefined;
  /** The digest that was pinned before, if the definition has changed. */
  previousDigest: string | undefined;
  /** Whether the tool is held because its server has added it. */
  isAddition: boolean;
  /** The version of the scan, if it found nothing and the definition has no quarantine entry. */
  cleanScan: string | undefined;
}

/** A tool with the result of screening its definition. */
export interface ScreenedTool {
  tool: ToolDefinition;
  result: ScreeningResult;
}

/** Dependencies of {@link writeScreeningResults}. */
export interface ScreeningWriteDeps {
  pinStore: ToolPinStore;
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  events: ScreeningEvents;
}

/** Results written before the event loop runs other work: those without an event, and those with one. */
const quietBatchSize = 50;
const reportedBatchSize = 10;

/**
 * Writes screening results. A changed or suspected definition is written in a transaction of its own, with an audit
 * event and a span; of many in a minute, the events are counted. All others are written in batches, without an event.
 * @throws HestiaError STORAGE_FAILED
 */
export async function writeScreeningResults(
  deps: ScreeningWriteDeps,
  screened: readonly ScreenedTool[],
): Promise<void> {
  const write = async (tx: Transaction, { tool, result }: ScreenedTool) => {
    const { pin, entry, cleanScan, verdict } = result;
    if (pin) await deps.pinStore.put(tx, pin);
    else if (cleanScan !== undefined) {
      const { serverId, toolName } = tool;
      await deps.pinStore.putCleanScan(tx, { serverId, toolName, digest: verdict.digest, cleanScan });
    }
    if (entry) await deps.quarantineStore.put(tx, entry);
  };
  const reported = screened.filter(({ result }) => isReported(result));
  const quiet = screened.filter(
    ({ result }) => !isReported(result) && (result.pin || result.entry || result.cleanScan),
  );
  for (const batch of batches(quiet, quietBatchSize)) {
    await nextSlice();
    await deps.trail.commit([], async (tx) => {
      for (const item of batch) await write(tx, item);
    });
  }
  for (const batch of batches(reported, reportedBatchSize)) {
    await nextSlice();
    await Promise.all(
      batch.map((item) =>
        inSpan(spanNames.toolAdmit, {}, (span) => {
          const events = eventsOf(item.tool, item.result).map((event) => ({ event, by: hubCaller, span }));
          return deps.events.commit(item.tool.serverId, events, (tx) => write(tx, item));
        }),
      ),
    );
  }
}

function* batches<T>(items: readonly T[], size: number): Generator<T[], void> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function isReported(result: ScreeningResult): boolean {
  return isChange(result) || isSuspected(result.entry);
}

function isChange({ previousDigest, isAddition }: ScreeningResult): boolean {
  return previousDigest !== undefined || isAddition;
}

/** An imitated name is suspected also where policy only warns of it. */
function isSuspected(entry: QuarantineEntry | undefined): boolean {
  const findings = entry?.findings ?? [];
  return findings.some(({ severity, ruleId }) => severity === 'critical' || severity === 'high' || isImitation(ruleId));
}

function eventsOf({ serverId, toolName }: ToolDefinition, result: ScreeningResult) {
  const { verdict, entry, previousDigest, isAddition } = result;
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
    fields: {
      ...fields,
      previous_digest: previousDigest,
      // Nothing is left to compare with where the definition of an old pin was released.
      changed_fields: isAddition ? 'name' : changedFields(entry?.changes ?? []) || 'unknown',
    },
  } as const;
  const suspected = {
    kind: 'security',
    name: 'TOOL_POISONING_SUSPECTED',
    failed: true,
    fields: { ...fields, ...findingFields(entry?.findings ?? []) },
  } as const;
  return [...(isChange(result) ? [changed] : []), ...(isSuspected(entry) ? [suspected] : [])];
}
