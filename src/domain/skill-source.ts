/**
 * Skills outside the registry: parsers for doors, and the check of folders without publishing.
 * The check searches, parses and scans as the hub does for a watched directory. Writes nothing.
 */
import { actionFor, type ContentScanPolicy } from '../shapes/configuration/scan-policy.ts';
import type { ScanFinding } from '../shapes/scan.ts';
import { scanContent } from './scan/scanner.ts';
import { skillParts } from './scan/subject.ts';
import { readSkillFolder } from './skill/folder.ts';
import { createNameClaims } from './skill/name-claims.ts';
import { linkTargetsOf, type NotSearched, searchSkillFolders } from './skill/search.ts';

export { invalidSkill, parseSkillDocument, skillFile } from './skill/document.ts';
export { readSkillFolder } from './skill/folder.ts';
export { normalisedName, registryName } from './skill/name.ts';

/** What the hub would do with a folder. `reasons` are the warnings, or why it is held or refused. */
export interface CheckedFolder {
  folder: string;
  name: string;
  outcome: 'published' | 'warned' | 'held' | 'refused';
  reasons: string[];
}

/** The result of a check: every folder with a SKILL.md, and what was not searched. */
export interface SkillCheck {
  folders: CheckedFolder[];
  notSearched: NotSearched[];
}

/** How a check is done: the policy of the content scan, and whether deviations are refused. */
export interface SkillCheckOptions {
  policy: ContentScanPolicy;
  strict: boolean;
  linkTargets?: readonly string[];
}

/** Checks the skill folders in a directory, an absolute path. @returns undefined if the directory cannot be searched */
export async function checkSkills(directory: string, options: SkillCheckOptions): Promise<SkillCheck | undefined> {
  const linkTargets = await linkTargetsOf([directory], options.linkTargets ?? []);
  const search = await searchSkillFolders({ directory, linkTargets });
  if (search.outcome !== 'searched') return undefined;
  const claims = createNameClaims();
  const folders: CheckedFolder[] = [];
  for (const { folder } of search.folders) {
    const name = claims.claim(folder, { isPresent: () => true });
    folders.push(await checkFolder(folder, name, { ...options, within: [search.root, ...linkTargets] }));
  }
  return { folders, notSearched: search.notSearched };
}

async function checkFolder(
  folder: string,
  name: string | undefined,
  { policy, strict, within }: SkillCheckOptions & { within: readonly string[] },
): Promise<CheckedFolder> {
  const checked = { folder, name: name ?? '' };
  const reading = await readSkillFolder(folder, { name, strict, within });
  if (reading.outcome === 'absent') return { ...checked, outcome: 'refused', reasons: ['SKILL.md: is gone'] };
  if (reading.outcome === 'broken') {
    const reasons = reading.error.violations.map(({ field, message }) => `${field}: ${message}`);
    return { ...checked, outcome: 'refused', reasons };
  }
  const { document } = reading;
  const findings = await scanContent(skillParts(document), { subject: 'skill', installerHosts: policy.installerHosts });
  const reasons = [
    ...findings.map(describeFinding),
    ...document.warnings.map(({ field, message }) => `${field}: ${message}`),
  ];
  const action = findings.length === 0 ? 'warn' : actionFor(policy, findings);
  const outcome = ({ block: 'refused', quarantine: 'held', warn: 'warned' } as const)[action];
  return { ...checked, outcome: reasons.length === 0 ? 'published' : outcome, reasons };
}

function describeFinding({ ruleId, severity, part, line, why }: ScanFinding): string {
  return `${part}:${line}: ${ruleId} (${severity}): ${why}`;
}
