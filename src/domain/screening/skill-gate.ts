/**
 * The skill gate: scans a skill when it is published and again when it is activated.
 * Policy decides whether findings block, quarantine or warn. A refusal is recorded before it is returned.
 */
import { type Caller, hubCaller } from '../../shapes/access.ts';
import { actionFor, type ContentScanPolicy } from '../../shapes/configuration/scan-policy.ts';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { newId } from '../../shapes/id.ts';
import { isUpstreamSkillScope, type QuarantineEntry } from '../../shapes/quarantine.ts';
import type { ScanAction, ScanFinding } from '../../shapes/scan.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import type { Transaction } from '../../stores/database.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import { attributes, spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { scanContent, worstSeverity } from '../scan/scanner.ts';
import { findingFields, skillParts } from '../scan/subject.ts';
import type { ScreeningEvents } from './screening-events.ts';

/** A skill to check, and who publishes, activates or reads it. */
export interface SkillCheckRequest {
  caller: Caller;
  namespace: string;
  document: SkillDocument;
  /** Fields of the event that identify the skill. The gate adds the findings. */
  fields: EventFields;
  /** A quarantined skill is stored in the step `publish` and refused in the others. */
  step: 'publish' | 'activate' | 'read';
}

/** The skill gate. */
export interface SkillGate {
  /**
   * Scans a skill and returns the findings that policy only warns of. A refusal is recorded and reported first. The
   * same content in a watched directory is reported once, however often it is read.
   * @throws HestiaError INJECTION_SUSPECTED, with rule ids and lines, or STORAGE_FAILED
   */
  check(request: SkillCheckRequest): Promise<Violation[]>;
}

/** Dependencies of the skill gate. */
export interface SkillGateDeps {
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  events: ScreeningEvents;
  policy: ContentScanPolicy;
  now: () => number;
}

/** Creates the skill gate. */
export function createSkillGate(deps: SkillGateDeps): SkillGate {
  return {
    check: async (request) => {
      const { document, namespace, step } = request;
      const { installerHosts } = deps.policy;
      const findings = await scanContent(skillParts(document), { subject: 'skill', installerHosts });
      const subject = {
        kind: 'skill',
        scope: namespace,
        name: document.frontmatter.name,
        digest: document.digest,
      } as const;
      const existing = await deps.quarantineStore.find(subject);
      if (existing?.state === 'refused') return refuseAgain(deps, request, existing);
      if (findings.length === 0 || existing?.state === 'approved') return [];
      const action = actionFor(deps.policy, findings);
      const worst = worstSeverity(findings);
      const suspicious = action !== 'warn' || worst === 'critical' || worst === 'high';
      const quarantineId = existing?.quarantineId ?? newId('qtn');
      const isReported = existing !== undefined && request.caller.keyId === 'hub';
      if (suspicious && !isReported) {
        const state = ({ block: 'blocked', quarantine: 'held', warn: 'noted' } as const)[action];
        const entry = {
          ...subject,
          quarantineId,
          state,
          findings,
          changes: [],
          createdAt: deps.now(),
          decidedAt: undefined,
          decidedBy: undefined,
        };
        await recordAttempt(deps, request, { entry, action });
      }
      if (action === 'block' || (action === 'quarantine' && step !== 'publish'))
        throw refusal(findings, action, quarantineId);
      return violations(findings);
    },
  };
}

/** Refuses content that an operator refused. @throws HestiaError INJECTION_SUSPECTED */
async function refuseAgain(deps: SkillGateDeps, request: SkillCheckRequest, entry: QuarantineEntry): Promise<never> {
  if (request.caller.keyId !== 'hub') await recordAttempt(deps, request, { entry, action: 'block' });
  const why = `an operator refused this content (${entry.quarantineId}): ${entry.reason ?? 'no reason'}`;
  throw new HestiaError('INJECTION_SUSPECTED', why, { violations: violations(entry.findings) });
}

/** Writes the audit event and the quarantine entry of an attempt in one transaction, and reports the event. */
function recordAttempt(
  deps: SkillGateDeps,
  { caller, namespace, document, fields, step }: SkillCheckRequest,
  { entry, action }: { entry: QuarantineEntry; action: ScanAction },
): Promise<void> {
  return inSpan(spanNames.skillScan, { attributes: { [attributes.skillDigest]: document.digest } }, (span) => {
    const eventFields = {
      ...fields,
      ...findingFields(entry.findings),
      digest: document.digest,
      action,
      step,
      quarantine_id: entry.quarantineId,
      error_type: action === 'warn' ? undefined : 'INJECTION_SUSPECTED',
    };
    const event = {
      kind: 'security',
      name: 'SKILL_INJECTION_ATTEMPT',
      failed: action !== 'warn',
      fields: eventFields,
    } as const;
    const audited = [{ event, by: caller, span }];
    const write = (tx: Transaction) => deps.quarantineStore.put(tx, entry);
    if (caller.keyId !== hubCaller.keyId) return deps.events.commit(caller.keyId, audited, write);
    if (isUpstreamSkillScope(namespace)) return deps.events.commit(namespace, audited, write);
    // What an operator's directory has is reported once anyway.
    return deps.trail.commit(audited, write);
  });
}

function refusal(findings: readonly ScanFinding[], action: ScanAction, quarantineId: string): HestiaError {
  const [first] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const place = first === undefined ? '' : `${first.ruleId} at ${first.part}:${first.line}${more}`;
  const remedy = `an operator who has read it may approve ${quarantineId}`;
  const decision = action === 'block' ? 'is refused' : 'is held in quarantine';
  return new HestiaError('INJECTION_SUSPECTED', `the skill ${decision}: ${place}; ${remedy}`, {
    violations: violations(findings),
  });
}

function violations(findings: readonly ScanFinding[]): Violation[] {
  return findings.map(({ ruleId, severity, part, line, why }) => ({
    field: `${part}:${line}`,
    message: `${ruleId} (${severity}): ${why}`,
  }));
}
