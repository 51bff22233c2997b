/**
 * Between the upstream servers and the index of tools: each definition is pinned at first sight, compared at each
 * listing and scanned when new. Only what may be offered reaches the index. Work on one server never overlaps.
 */

import { createKeyedQueue } from '../../flow/keyed-queue.ts';
import { createTimeSlices } from '../../flow/time-slices.ts';
import { actionFor, type ContentScanPolicy, type ToolChangesPolicy } from '../../shapes/configuration/scan-policy.ts';
import { newId } from '../../shapes/id.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { FieldChange, QuarantineEntry, QuarantineState } from '../../shapes/quarantine.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import { pinsPerServerMax, type ToolPin, type ToolPinStore } from '../../stores/tool-pin-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { scanContent } from '../scan/scanner.ts';
import { toolParts } from '../scan/subject.ts';
import { definitionChanges, definitionDigest, pinnedDefinition } from '../scan/tool-definition.ts';
import { type JudgedTool, type Judgement, type Verdict, writeJudgements } from './screening-results.ts';

/** The gate of tools. */
export interface ToolGate {
  /** Judges a server's list and offers what may be offered. Never throws: what cannot be judged is not offered. */
  admit(serverId: string, tools: readonly ToolDefinition[]): Promise<void>;
  /** Judges the last list of a server again, after an operator decided. */
  readmit(serverId: string): Promise<void>;
}

/** What the gate is made of. */
export interface ToolGateDeps {
  pinStore: ToolPinStore;
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  policy: { contentScan: ContentScanPolicy; toolChanges: ToolChangesPolicy };
  log: Log;
  now: () => number;
  /** Makes these the tools of the server that agents find, all at once. */
  offer(serverId: string, tools: readonly ToolDefinition[]): Promise<void>;
}

/** Makes the gate. */
export function createToolGate(deps: ToolGateDeps): ToolGate {
  const queue = createKeyedQueue();
  const servers = new Map<string, { tools: readonly ToolDefinition[]; verdicts: Map<string, Verdict> }>();
  const judge = async (serverId: string) => {
    const server = servers.get(serverId);
    if (server === undefined) return;
    const listed = await digested(server.tools);
    try {
      server.verdicts = await judgeList(deps, serverId, { listed, verdicts: server.verdicts });
    } catch (error) {
      deps.log.error(
        'The tools of an upstream server could not be judged; those not known before are not offered',
        { server_id: serverId },
        { error },
      );
    }
    await deps.offer(
      serverId,
      listed.filter((item) => isOffered(item, server.verdicts)).map(({ tool }) => tool),
    );
  };
  return {
    admit: (serverId, tools) =>
      queue(serverId, async () => {
        servers.set(serverId, { tools, verdicts: servers.get(serverId)?.verdicts ?? new Map() });
        await judge(serverId);
      }),
    readmit: (serverId) =>
      queue(serverId, async () => {
        servers.get(serverId)?.verdicts.clear();
        await judge(serverId);
      }),
  };
}

/** A tool with what is pinned of it; without a digest where its definition has no canonical form. */
interface ListedTool {
  tool: ToolDefinition;
  definition: JsonObject;
  digest: string | undefined;
}

async function digested(tools: readonly ToolDefinition[]): Promise<ListedTool[]> {
  const slice = createTimeSlices();
  const listed: ListedTool[] = [];
  for (const tool of tools) {
    const definition = pinnedDefinition(tool);
    listed.push({ tool, definition, digest: definitionDigest(definition) });
    await slice();
  }
  return listed;
}

function isOffered({ tool, digest }: ListedTool, verdicts: ReadonlyMap<string, Verdict>): boolean {
  const verdict = verdicts.get(tool.toolName);
  return verdict?.offered === true && verdict.digest === digest;
}

async function judgeList(
  deps: ToolGateDeps,
  serverId: string,
  { listed, verdicts }: { listed: readonly ListedTool[]; verdicts: ReadonlyMap<string, Verdict> },
): Promise<Map<string, Verdict>> {
  const pins = await deps.pinStore.digests(serverId);
  const judged = new Map<string, Verdict>();
  const judgements: JudgedTool[] = [];
  const slice = createTimeSlices();
  for (const { tool, definition, digest } of listed) {
    if (digest === undefined || (!pins.has(tool.toolName) && pins.size + judgements.length >= pinsPerServerMax))
      continue;
    const known = verdicts.get(tool.toolName);
    if (known?.digest === digest) {
      judged.set(tool.toolName, known);
      continue;
    }
    const judgement = await judgeTool(deps, { tool, definition, digest, pinned: pins.get(tool.toolName) });
    judged.set(tool.toolName, judgement.verdict);
    judgements.push({ tool, judgement });
    await slice();
  }
  await writeJudgements(deps, judgements);
  return judged;
}

async function judgeTool(
  deps: ToolGateDeps,
  {
    tool,
    definition,
    digest,
    pinned,
  }: { tool: ToolDefinition; definition: JsonObject; digest: string; pinned: string | undefined },
): Promise<Judgement> {
  const { serverId, toolName } = tool;
  const subject = { kind: 'tool', scope: serverId, name: toolName, digest } as const;
  const pin = { serverId, toolName, digest, definition, pinnedAt: deps.now() };
  const known = await deps.quarantineStore.find(subject);
  if (known !== undefined) return judgeKnown(deps, { tool, known, pin, pinned });
  const { installerHosts } = deps.policy.contentScan;
  const findings = scanContent(toolParts(tool), { subject: 'tool', installerHosts });
  const previousDigest = pinned === digest ? undefined : pinned;
  const state = stateOf(deps, findings, previousDigest !== undefined);
  const offered = state === undefined || state === 'noted';
  const changes = previousDigest === undefined ? [] : await changesSince(deps, tool, definition);
  const entry = state && {
    ...subject,
    quarantineId: newId('qtn'),
    state,
    findings,
    changes,
    createdAt: deps.now(),
    decidedAt: undefined,
    decidedBy: undefined,
  };
  // What is seen first is pinned whatever it says; what comes later, only when it may be used.
  const pins = pinned === undefined || (offered && previousDigest !== undefined);
  return { verdict: { digest, offered }, pin: pins ? pin : undefined, entry, previousDigest };
}

/** A definition seen before, as itself or as what an operator decided on: one that was only noted is told of each time. */
async function judgeKnown(
  deps: ToolGateDeps,
  {
    tool,
    known,
    pin,
    pinned,
  }: { tool: ToolDefinition; known: QuarantineEntry; pin: ToolPin; pinned: string | undefined },
): Promise<Judgement> {
  const { digest } = pin;
  const unchanged = pinned === digest;
  const held = known.state === 'noted' && !unchanged && deps.policy.toolChanges === 'hold';
  const offered = known.state === 'approved' || (known.state === 'noted' && !held);
  const judgement = { verdict: { digest, offered }, pin: undefined, entry: undefined, previousDigest: undefined };
  if (unchanged || (!offered && !held)) return judgement;
  if (known.state === 'approved') return { ...judgement, pin };
  const entry = {
    ...known,
    state: held ? ('held' as const) : known.state,
    changes: await changesSince(deps, tool, pin.definition),
  };
  return { ...judgement, pin: held ? undefined : pin, entry, previousDigest: pinned };
}

function stateOf(
  { policy }: ToolGateDeps,
  findings: readonly ScanFinding[],
  changed: boolean,
): QuarantineState | undefined {
  const action = actionFor(
    policy.contentScan,
    findings.map(({ severity }) => severity),
  );
  if (action === 'block') return 'blocked';
  if (action === 'quarantine' || (changed && policy.toolChanges === 'hold')) return 'held';
  return changed || findings.length > 0 ? 'noted' : undefined;
}

async function changesSince(
  { pinStore }: ToolGateDeps,
  tool: ToolDefinition,
  definition: JsonObject,
): Promise<FieldChange[]> {
  const pin = await pinStore.find(tool);
  return pin === undefined ? [] : definitionChanges(pin.definition, definition);
}
