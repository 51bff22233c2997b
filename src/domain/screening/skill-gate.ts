/** Where a skill is scanned: at publish and again at activation. Policy decides; what it refuses is on record first. */
import type { Caller } from '../../shapes/access.ts';
import { actionFor, type ContentScanPolicy } from '../../shapes/configuration/scan-policy.ts';
import { HestiaError, type Violation } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { newId } from '../../shapes/id.ts';
import type { QuarantineEntry } from '../../shapes/quarantine.ts';
import type { ScanAction, ScanFinding } from '../../shapes/scan.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import { attributes, spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { scanContent, worstSeverity } from '../scan/scanner.ts';
import { findingFields, skillParts } from '../scan/subject.ts';

/** A skill that asks to be let through, and by whom. */
export interface SkillEntrance {
  caller: Caller;
  namespace: string;
  document: SkillDocument;
  /** What names the skill in the event, besides what was found. */
  fields: EventFields;
  /** `publish` lets a quarantined skill be stored; `activate` does not let it be used. */
  step: 'publish' | 'activate';
}

/** The gate. */
export interface SkillGate {
  /**
   * Answers what policy only warns of. An attempt is on record and told before it is refused; a folder that is read
   * again and again tells of the same content once.
   * @throws HestiaError INJECTION_SUSPECTED, with rule ids and lines, or STORAGE_FAILED
   */
  check(entrance: SkillEntrance): Promise<Violation[]>;
}

/** What the gate is made of. */
export interface SkillGateDeps {
  quarantineStore: QuarantineStore;
  trail: AuditTrail;
  policy: ContentScanPolicy;
  now: () => number;
}

/** Makes the gate. */
export function createSkillGate(deps: SkillGateDeps): SkillGate {
  return {
    check: async (entrance) => {
      const { document, namespace, step } = entrance;
      const { installerHosts } = deps.policy;
      const findings = scanContent(skillParts(document), { subject: 'skill', installerHosts });
      if (findings.length === 0) return [];
      const subject = {
        kind: 'skill',
        scope: namespace,
        name: document.frontmatter.name,
        digest: document.digest,
      } as const;
      const known = await deps.quarantineStore.find(subject);
      if (known?.state === 'approved') return [];
      const action = actionFor(
        deps.policy,
        findings.map(({ severity }) => severity),
      );
      const worst = worstSeverity(findings);
      const suspicious = action !== 'warn' || worst === 'critical' || worst === 'high';
      const quarantineId = known?.quarantineId ?? newId('qtn');
      const told = known !== undefined && entrance.caller.keyId === 'hub';
      if (suspicious && !told) {
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
        await tell(deps, entrance, entry, action);
      }
      if (action === 'block' || (action === 'quarantine' && step === 'activate'))
        throw refusal(findings, action, quarantineId);
      return violations(findings);
    },
  };
}

/** Puts the attempt on record together with its entry, and tells it. */
function tell(
  deps: SkillGateDeps,
  { caller, document, fields, step }: SkillEntrance,
  entry: QuarantineEntry,
  action: ScanAction,
): Promise<void> {
  return inSpan(spanNames.skillScan, { attributes: { [attributes.skillDigest]: document.digest } }, (span) => {
    const all = {
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
      fields: all,
    } as const;
    return deps.trail.commit({ event, by: caller, span }, (tx) => deps.quarantineStore.put(tx, entry));
  });
}

function refusal(findings: readonly ScanFinding[], action: ScanAction, quarantineId: string): HestiaError {
  const [first] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const place = first === undefined ? '' : `${first.ruleId} at ${first.part}:${first.line}${more}`;
  const way = `an operator who has read it may approve ${quarantineId}`;
  const done = action === 'block' ? 'is refused' : 'is held in quarantine';
  return new HestiaError('INJECTION_SUSPECTED', `the skill ${done}: ${place}; ${way}`, {
    violations: violations(findings),
  });
}

function violations(findings: readonly ScanFinding[]): Violation[] {
  return findings.map(({ ruleId, severity, part, line, why }) => ({
    field: `${part}:${line}`,
    message: `${ruleId} (${severity}): ${why}`,
  }));
}
