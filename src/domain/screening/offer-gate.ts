/**
 * The offer gate: scans prompts, resources and instructions of servers before clients see them.
 * What policy blocks or holds is left out until an operator approves it. An entry is scanned once for each content.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { createTimeSlices } from '../../flow/time-slices.ts';
import { hubCaller } from '../../shapes/access.ts';
import { actionFor, type ContentScanPolicy } from '../../shapes/configuration/scan-policy.ts';
import { newId } from '../../shapes/id.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { QuarantineEntry } from '../../shapes/quarantine.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import { spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { scanContent, worstSeverity } from '../scan/scanner.ts';
import { findingFields } from '../scan/subject.ts';
import { definitionDigest, definitionTexts } from '../scan/tool-definition.ts';
import type { ScreeningEvents } from './screening-events.ts';

/** An entry to screen: what a server says about a prompt, a resource, a template or itself. */
export interface ScreenedOffer {
  serverId: string;
  /** The kind and what identifies the entry, such as `prompts/review`. The name of its quarantine entry. */
  name: string;
  content: JsonObject;
}

/** The offer gate. */
export interface OfferGate {
  /** The entries that clients may see, in their order. @throws HestiaError STORAGE_FAILED */
  admitted<Offer extends ScreenedOffer>(offers: readonly Offer[]): Promise<Offer[]>;
}

/** Dependencies of the offer gate. */
export interface OfferGateDeps {
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  events: ScreeningEvents;
  policy: ContentScanPolicy;
  now: () => number;
}

/** The most digests of admitted entries that are remembered. Others are scanned again. */
const admittedMax = 50_000;

/** Creates the offer gate. */
export function createOfferGate(deps: OfferGateDeps): OfferGate {
  const known = new BoundedMap<string, true>(admittedMax);
  const isAdmitted = async (offer: ScreenedOffer) => {
    const digest = definitionDigest({ name: offer.name, content: offer.content });
    // Content without a canonical form, such as a lone surrogate, cannot be approved.
    if (digest === undefined) return false;
    const key = `${offer.serverId}\n${digest}`;
    if (known.has(key)) return true;
    const admitted = await screenOffer(deps, offer, digest);
    if (admitted) known.set(key, true);
    return admitted;
  };
  return {
    admitted: async (offers) => {
      const slice = createTimeSlices();
      const admitted = [];
      for (const offer of offers) {
        if (await isAdmitted(offer)) admitted.push(offer);
        await slice();
      }
      return admitted;
    },
  };
}

/** Scans an entry, and puts it into the quarantine if the scan finds something. Returns whether clients may see it. */
async function screenOffer(
  deps: OfferGateDeps,
  { serverId, name, content }: ScreenedOffer,
  digest: string,
): Promise<boolean> {
  const subject = { kind: 'tool', scope: serverId, name, digest } as const;
  // Without another scan, so that what is held costs little however often clients ask for it.
  const existing = await deps.quarantineStore.find(subject);
  if (existing !== undefined) return existing.state === 'approved' || existing.state === 'noted';
  const { installerHosts } = deps.policy;
  const parts = [
    { part: 'name', text: name },
    ...definitionTexts(content).map(({ path, text }) => ({ part: path, text })),
  ];
  const findings = await scanContent(parts, { subject: 'tool', installerHosts });
  if (findings.length === 0) return true;
  const state = ({ block: 'blocked', quarantine: 'held', warn: 'noted' } as const)[actionFor(deps.policy, findings)];
  const quarantineId = newId('qtn');
  const decision = { decidedAt: undefined, decidedBy: undefined };
  await write(deps, { ...subject, quarantineId, state, findings, changes: [], createdAt: deps.now(), ...decision });
  return state === 'noted';
}

/** Writes the quarantine entry, with an event if a finding is serious. */
async function write(deps: OfferGateDeps, entry: QuarantineEntry): Promise<void> {
  const { name, scope, digest, quarantineId, findings, state } = entry;
  const worst = worstSeverity(findings);
  if (worst !== 'critical' && worst !== 'high') {
    await deps.trail.commit([], (tx) => deps.quarantineStore.put(tx, entry));
    return;
  }
  await inSpan(spanNames.toolAdmit, {}, (span) => {
    const fields = {
      tool_name: name,
      server_id: scope,
      agent_id: hubCaller.agentId,
      namespace: hubCaller.namespace,
      digest,
      action: state === 'noted' ? 'warn' : 'hold',
      quarantine_id: quarantineId,
      ...findingFields(findings),
    };
    const event = { kind: 'security', name: 'TOOL_POISONING_SUSPECTED', failed: true, fields } as const;
    return deps.events.commit(scope, [{ event, by: hubCaller, span }], (tx) => deps.quarantineStore.put(tx, entry));
  });
}
