/**
 * The tool gate: screens the tool definitions of upstream servers before agents can find them.
 * A definition is scanned when it is new, pinned when it is first seen, and compared with its pin at each listing.
 * Only tools that policy allows are offered. The lists of one server are screened one after another.
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
import { scanVersion } from '../scan/scan-version.ts';
import { scanContent } from '../scan/scanner.ts';
import { toolParts } from '../scan/subject.ts';
import { definitionChanges, firstDefinitionDigest, pinnedDefinition } from '../scan/tool-definition.ts';
import { type ListedTool, listedTools } from './listed-tool.ts';
import { unpinnedCount, unpinnedVerdict, warnOfUnpinned } from './pin-limit.ts';
import { releaseOldDefinitions } from './pin-retention.ts';
import type { ScreeningEvents } from './screening-events.ts';
import { type ScreenedTool, type ScreeningResult, type Verdict, writeScreeningResults } from './screening-results.ts';
import { createToolNames, type ToolNames } from './tool-names.ts';

/** The tool gate. */
export interface ToolGate {
  /** Screens the tool list of a server and offers the allowed tools. Never throws; unscreened tools are not offered. */
  admit(serverId: string, tools: readonly ToolDefinition[]): Promise<void>;
  /** Screens further tools of a server, such as those that it offers to one client only, and returns the allowed ones. */
  screen(serverId: string, tools: readonly ToolDefinition[]): Promise<ToolDefinition[]>;
  /** Screens the last list of a server again, after a decision of an operator. */
  readmit(serverId: string): Promise<void>;
  /** The number of tools of a server that are not offered since too many of its names are pinned. */
  unpinnedCount(serverId: string): number;
}

/** Dependencies of the tool gate. */
export interface ToolGateDeps {
  pinStore: ToolPinStore;
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  events: ScreeningEvents;
  policy: { contentScan: ContentScanPolicy; toolChanges: ToolChangesPolicy };
  limits: { pinnedBytesPerServerMax: number };
  log: Log;
  now: () => number;
  /** The names of the hub's own tools, which no server may imitate. */
  hubToolNames(): readonly string[];
  /** Replaces the tools of the server that agents can find. */
  offer(serverId: string, tools: readonly ToolDefinition[]): Promise<void>;
}

/** Creates the tool gate. */
export function createToolGate(deps: ToolGateDeps): ToolGate {
  const { installerHosts } = deps.policy.contentScan;
  const version = scanVersion({ installerHosts });
  const queue = createKeyedQueue();
  const names = createToolNames(deps.hubToolNames);
  const servers = new Map<string, { tools: readonly ToolDefinition[]; verdicts: Map<string, Verdict> }>();
  const screeningDeps = { ...deps, version, names };
  const screen = async (serverId: string) => {
    const server = servers.get(serverId);
    if (server === undefined) return;
    const listed = await listedTools(server.tools);
    try {
      const { tools: inUse, verdicts } = server;
      server.verdicts = await screenList(screeningDeps, serverId, { listed, verdicts, inUse });
    } catch (error) {
      deps.log.error(
        'The tools of an upstream server could not be screened; tools without an earlier verdict are not offered',
        { server_id: serverId },
        { error },
      );
    }
    await deps.offer(
      serverId,
      listed.filter((item) => isOffered(item, server.verdicts)).map(({ tool }) => tool),
    );
  };
  const readmit = (serverId: string) =>
    queue(serverId, async () => {
      servers.get(serverId)?.verdicts.clear();
      await screen(serverId);
    });
  return {
    admit: (serverId, tools) =>
      queue(serverId, async () => {
        servers.set(serverId, { tools, verdicts: servers.get(serverId)?.verdicts ?? new Map() });
        const imitators = await names.replace(serverId, tools.map(nameOf));
        for (const imitator of imitators) void readmit(imitator);
        await screen(serverId);
      }),
    screen: (serverId, tools) =>
      queue(serverId, async () => {
        const listed = await listedTools(tools);
        const inUse = [...tools, ...(servers.get(serverId)?.tools ?? [])];
        const verdicts = await screenList(screeningDeps, serverId, { listed, verdicts: new Map(), inUse });
        return listed.filter((item) => isOffered(item, verdicts)).map(({ tool }) => tool);
      }),
    readmit,
    unpinnedCount: (serverId) => unpinnedCount(servers.get(serverId)?.verdicts),
  };
}

function nameOf({ toolName }: ToolDefinition): string {
  return toolName;
}

function isOffered({ tool, digest }: ListedTool, verdicts: ReadonlyMap<string, Verdict>): boolean {
  const verdict = verdicts.get(tool.toolName);
  return verdict?.offered === true && verdict.digest === digest;
}

/** What screening needs. `version` is that of the content scan. */
type ScreeningDeps = ToolGateDeps & { version: string; names: ToolNames };

interface ToolsToScreen {
  listed: readonly ListedTool[];
  /** Earlier verdicts by tool name. */
  verdicts: ReadonlyMap<string, Verdict>;
  /** The tools of the server whose pinned definitions are kept. */
  inUse: readonly ToolDefinition[];
}

async function screenList(
  deps: ScreeningDeps,
  serverId: string,
  { listed, verdicts, inUse }: ToolsToScreen,
): Promise<Map<string, Verdict>> {
  const pins = await deps.pinStore.digests(serverId);
  const screenedVerdicts = new Map<string, Verdict>();
  const screened: ScreenedTool[] = [];
  const slice = createTimeSlices();
  for (const { tool, definition, digest } of listed) {
    if (digest === undefined) continue;
    if (!pins.has(tool.toolName) && pins.size + screened.length >= pinsPerServerMax) {
      screenedVerdicts.set(tool.toolName, unpinnedVerdict(digest));
      continue;
    }
    const earlier = verdicts.get(tool.toolName);
    if (earlier?.digest === digest) {
      screenedVerdicts.set(tool.toolName, earlier);
      continue;
    }
    const pinned = pins.get(tool.toolName);
    const nameFindings = deps.names.findings(tool, pinned !== undefined);
    if (pinned?.digest === digest && pinned.cleanScan === deps.version && nameFindings.length === 0) {
      screenedVerdicts.set(tool.toolName, { digest, offered: true });
      continue;
    }
    const pinnedDigest = currentDigest(tool, digest, pinned?.digest);
    // Renaming a tool must not be a way around `hold`. The first list of a server is trusted.
    const isAddition = deps.policy.toolChanges === 'hold' && pins.size > 0 && pinned === undefined;
    const result = await screenTool(deps, { tool, definition, digest, pinnedDigest, nameFindings, isAddition });
    screenedVerdicts.set(tool.toolName, result.verdict);
    const isOlderPin = pinnedDigest !== pinned?.digest;
    const { cleanScan } = result;
    const pin = isOlderPin ? { ...toolPin(deps, tool, definition), digest, cleanScan } : result.pin;
    screened.push({ tool, result: { ...result, pin } });
    await slice();
  }
  warnOfUnpinned(deps.log, serverId, screenedVerdicts);
  await writeScreeningResults(deps, screened);
  if (screened.some(({ result }) => result.pin !== undefined)) {
    await releaseOldDefinitions(deps, serverId, new Set(inUse.map(nameOf)));
  }
  return screenedVerdicts;
}

function toolPin({ now }: ToolGateDeps, { serverId, toolName }: ToolDefinition, definition: JsonObject) {
  return { serverId, toolName, definition, pinnedAt: now(), cleanScan: undefined };
}

/** The pinned digest; the present one if the pin is of the same definition and older than the present form of digests. */
function currentDigest(tool: ToolDefinition, digest: string, pinnedDigest: string | undefined): string | undefined {
  if (pinnedDigest === undefined || pinnedDigest === digest) return pinnedDigest;
  return pinnedDigest === firstDefinitionDigest(tool) ? digest : pinnedDigest;
}

interface ToolToScreen {
  tool: ToolDefinition;
  definition: JsonObject;
  digest: string;
  pinnedDigest: string | undefined;
  nameFindings: readonly ScanFinding[];
  isAddition: boolean;
}

async function screenTool(
  deps: ScreeningDeps,
  { tool, definition, digest, pinnedDigest, nameFindings, isAddition }: ToolToScreen,
): Promise<ScreeningResult> {
  const { serverId, toolName } = tool;
  const subject = { kind: 'tool', scope: serverId, name: toolName, digest } as const;
  const pin = { ...toolPin(deps, tool, definition), digest };
  const existing = await findEntry(deps, tool, subject);
  if (existing !== undefined && !isNewlyFound(existing, nameFindings)) {
    return screenQuarantined(deps, { tool, existing, pin, pinnedDigest });
  }
  const { installerHosts } = deps.policy.contentScan;
  const scanned = await scanContent(toolParts(tool), { subject: 'tool', installerHosts });
  const findings = [...nameFindings, ...scanned];
  const previousDigest = pinnedDigest === digest ? undefined : pinnedDigest;
  const state = stateOf(deps, findings, previousDigest !== undefined || isAddition);
  const offered = state === undefined || state === 'noted';
  const changes = previousDigest === undefined ? [] : await changesSince(deps, tool, definition);
  const entry = state && {
    ...subject,
    quarantineId: existing?.quarantineId ?? newId('qtn'),
    state,
    findings,
    changes,
    createdAt: deps.now(),
    decidedAt: undefined,
    decidedBy: undefined,
  };
  // Those of the first list are pinned in any case, later ones only if they are offered.
  const isPinned = pinnedDigest === undefined ? offered || !isAddition : offered && previousDigest !== undefined;
  const cleanScan = entry === undefined ? deps.version : undefined;
  return {
    verdict: { digest, offered },
    pin: isPinned ? { ...pin, cleanScan } : undefined,
    entry,
    previousDigest,
    isAddition,
    cleanScan,
  };
}

/** Whether a definition that is only noted has since been found to have the name of another tool. */
function isNewlyFound({ state, findings }: QuarantineEntry, nameFindings: readonly ScanFinding[]): boolean {
  return state === 'noted' && nameFindings.some(({ ruleId }) => findings.every((finding) => finding.ruleId !== ruleId));
}

/** The quarantine entry of a definition, also one from before the present form of digests. */
async function findEntry(
  { quarantineStore }: ToolGateDeps,
  tool: ToolDefinition,
  subject: Parameters<QuarantineStore['find']>[0],
): Promise<QuarantineEntry | undefined> {
  const entry = await quarantineStore.find(subject);
  const digest = firstDefinitionDigest(tool);
  return entry ?? (digest === undefined ? undefined : quarantineStore.find({ ...subject, digest }));
}

/** Screens a definition that has a quarantine entry. A change to one that is only noted is reported each time. */
async function screenQuarantined(
  deps: ToolGateDeps,
  {
    tool,
    existing,
    pin,
    pinnedDigest,
  }: { tool: ToolDefinition; existing: QuarantineEntry; pin: ToolPin; pinnedDigest: string | undefined },
): Promise<ScreeningResult> {
  const { digest } = pin;
  const unchanged = pinnedDigest === digest;
  const held = existing.state === 'noted' && !unchanged && deps.policy.toolChanges === 'hold';
  const offered = existing.state === 'approved' || (existing.state === 'noted' && !held);
  const result = {
    verdict: { digest, offered },
    pin: undefined,
    entry: undefined,
    previousDigest: undefined,
    isAddition: false,
    cleanScan: undefined,
  };
  if (unchanged || (!offered && !held)) return result;
  if (existing.state === 'approved') return { ...result, pin };
  const entry = {
    ...existing,
    state: held ? ('held' as const) : existing.state,
    changes: await changesSince(deps, tool, pinnedDefinition(tool)),
  };
  return { ...result, pin: held ? undefined : pin, entry, previousDigest: pinnedDigest };
}

function stateOf(
  { policy }: ToolGateDeps,
  findings: readonly ScanFinding[],
  changed: boolean,
): QuarantineState | undefined {
  const action = actionFor(policy.contentScan, findings);
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
  return pin?.definition === undefined ? [] : definitionChanges(pin.definition, definition);
}
