/**
 * Skills as MCP resources (Skills extension, SEP-2640): lists entries, reads files and folders. A caller sees the
 * skills of its namespace and those of upstream servers. What the quarantine blocks or holds is not served.
 */
import type { Span } from '@opentelemetry/api';
import type { Caller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import type { EventFields } from '../shapes/event.ts';
import { decodeCursor, encodeCursor } from '../shapes/page.ts';
import { hubServerId } from '../shapes/server.ts';
import { skillToolName } from '../shapes/skill.ts';
import { printable } from '../shapes/text.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { spanNames } from '../telemetry/names.ts';
import { errorTypeOf, failSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import { isServerInScope, isSkillInScope } from './access/scope.ts';
import type { AuditTrail } from './audit/trail.ts';
import {
  entryPath,
  entryRoot,
  type ServedSkill,
  type SkillEntry,
  type SkillEntryFile,
  skillUriScheme,
} from './resource/entry.ts';
import type { PublishedSkills } from './resource/published-skills.ts';
import type { UpstreamServedSkill, UpstreamSkills } from './resource/upstream-skills.ts';

export type { SkillEntry } from './resource/entry.ts';

/** Entries of a list, and children of a folder, on one page at most. */
export const skillPageMax = 50;

/** One page of a list. `nextCursor` is absent on the last page. */
export interface SkillPage<Item> {
  items: Item[];
  nextCursor?: string;
}

/** A file or folder in the folder of a skill. `size` is in bytes, and absent for a folder. */
export interface SkillChild {
  uri: string;
  name: string;
  size?: number;
}

/** Skills as resources. Errors: FORBIDDEN, INVALID_REQUEST, STORAGE_FAILED, and those that a method names. */
export interface SkillResources {
  /** Lists the entries of the caller's namespace by name, then those of upstream servers by URI. */
  list(caller: Caller, cursor: string | undefined): Promise<SkillPage<SkillEntry>>;
  /** The entry whose SKILL.md is at `uri`. */
  find(caller: Caller, uri: string): Promise<SkillEntry | undefined>;
  /**
   * Reads a file of a skill, and records it as `SKILL_READ`. Undefined where no such file is served.
   * @throws HestiaError SERVER_UNAVAILABLE, UPSTREAM_FAILED, RESPONSE_TOO_LARGE, ABANDONED
   */
  read(caller: Caller, uri: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** The direct children of a folder of a skill, by URI. Undefined where `uri` is no such folder. */
  children(caller: Caller, uri: string, cursor: string | undefined): Promise<SkillPage<SkillChild> | undefined>;
}

/** Dependencies of the use case. */
export interface SkillResourcesDeps {
  publishedSkills: PublishedSkills;
  upstreamSkills: UpstreamSkills;
  trail: AuditTrail;
  guard: AccessGuard;
  metrics: Metrics;
}

/** Creates the use case. */
export function createSkillResources(deps: SkillResourcesDeps): SkillResources {
  const permitted = async <T>(caller: Caller, work: () => Promise<T>): Promise<T> => {
    await deps.guard.require(caller, 'skill.read');
    return work();
  };
  return {
    list: (caller, cursor) => permitted(caller, () => listPage(deps, caller, cursor)),
    find: (caller, uri) =>
      permitted(
        caller,
        async () => (await skillsNear(deps, caller, uri)).find(({ entry }) => entry.uri === uri)?.entry,
      ),
    read: (caller, uri, signal) =>
      permitted(caller, async () => {
        const bytes = await readFile(deps, caller, { uri, signal });
        if (bytes === undefined) await recordOutOfScope(deps, caller, uri);
        return bytes;
      }),
    children: (caller, uri, cursor) =>
      permitted(caller, async () => {
        const folder = uri.endsWith('/') ? uri : `${uri}/`;
        const holders = (await skillsNear(deps, caller, uri)).filter(({ entry }) =>
          folder.startsWith(entryRoot(entry)),
        );
        const children = childrenOf(folder, holders);
        return children.length === 0 ? undefined : pageAfter(children, cursor);
      }),
  };
}

/** A position in the list: after a name among the skills of the namespace, or after a URI among those of servers. */
type ListPosition = { list: 'name' | 'uri'; after: string };

function positionOf(cursor: string | undefined): ListPosition {
  const text = decodeCursor(cursor) ?? 'name:';
  const at = text.indexOf(':');
  const [list, after] = [text.slice(0, at), text.slice(at + 1)];
  if (list === 'name' || list === 'uri') return { list, after };
  throw new HestiaError('INVALID_REQUEST', 'cursor: must be the nextCursor of the page before');
}

async function listPage(
  deps: SkillResourcesDeps,
  caller: Caller,
  cursor: string | undefined,
): Promise<SkillPage<SkillEntry>> {
  const { list, after } = positionOf(cursor);
  const items: SkillEntry[] = [];
  if (list === 'name') {
    const { skills, next } = await deps.publishedSkills.list(caller.namespace, {
      after,
      limit: skillPageMax,
      scope: caller.scope,
    });
    items.push(...skills.map(({ entry }) => entry));
    if (next !== undefined) return { items, nextCursor: encodeCursor(`name:${next}`) };
  }
  const afterUri = list === 'uri' ? after : '';
  const upstream = (await visibleUpstream(deps, caller)).filter(({ entry }) => entry.uri > afterUri);
  const shown = upstream.slice(0, skillPageMax - items.length).map(({ entry }) => entry);
  const last = shown.at(-1)?.uri ?? afterUri;
  return {
    items: [...items, ...shown],
    ...(upstream.length > shown.length && { nextCursor: encodeCursor(`uri:${last}`) }),
  };
}

/** The upstream skills that the caller sees. A skill of its namespace hides the server that has the skill's name. */
async function visibleUpstream(deps: SkillResourcesDeps, caller: Caller): Promise<UpstreamServedSkill[]> {
  const listed = await deps.upstreamSkills.list();
  const skills = listed.filter(({ serverId }) => isServerInScope(caller.scope, serverId));
  const hidden = new Set<string>();
  for (const serverId of new Set(skills.map((skill) => skill.serverId))) {
    if ((await findPublished(deps, caller, serverId)) !== undefined) hidden.add(serverId);
  }
  return skills.filter(({ serverId }) => !hidden.has(serverId));
}

/** The skills whose URIs have the same authority: one of the namespace, or else those of the server of this name. */
async function skillsNear(deps: SkillResourcesDeps, caller: Caller, uri: string): Promise<ServedSkill[]> {
  const name = authorityOf(uri);
  if (name === undefined) return [];
  const published = await findPublished(deps, caller, name);
  if (published !== undefined) return [published];
  return isServerInScope(caller.scope, name) ? deps.upstreamSkills.list(name) : [];
}

/** The published skill of the caller's namespace, unless it is outside of the scope of the caller's key. */
async function findPublished(
  { publishedSkills }: SkillResourcesDeps,
  { namespace, scope }: Caller,
  name: string,
): Promise<ServedSkill | undefined> {
  return isSkillInScope(scope, name) ? publishedSkills.find(namespace, name) : undefined;
}

function authorityOf(uri: string): string | undefined {
  if (!uri.startsWith(skillUriScheme)) return undefined;
  try {
    return decodeURIComponent(uri.slice(skillUriScheme.length).split('/')[0] ?? '');
  } catch {
    return undefined;
  }
}

async function readFile(
  deps: SkillResourcesDeps,
  caller: Caller,
  { uri, signal }: { uri: string; signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  for (const skill of await skillsNear(deps, caller, uri)) {
    const file = skill.entry.resources.find((resource) => resource.uri === uri);
    if (file === undefined) continue;
    if (!(await isReadable(skill, caller))) return undefined;
    await deps.trail.admit();
    return timed(
      (seconds, errorType) => deps.metrics.skillOperation(seconds, 'read', errorType),
      () =>
        inSpan(spanNames.skillRead, {}, (span) =>
          deps.trail.operation(span, () => readAndRecord(deps, caller, { skill, file, signal, span })),
        ),
    );
  }
  return undefined;
}

/** Records the read of a skill that may be outside of the scope of the caller's key, by the name of its tool. */
async function recordOutOfScope({ guard }: SkillResourcesDeps, caller: Caller, uri: string): Promise<void> {
  const name = authorityOf(uri);
  if (name === undefined || isSkillInScope(caller.scope, name) || isServerInScope(caller.scope, name)) return;
  await guard.recordOutOfScope(caller, 'skill.read', { serverId: hubServerId, toolName: skillToolName(name) });
}

/** Whether the scan allows to read the skill. A refusal is recorded; to the caller the skill is absent. */
async function isReadable(skill: ServedSkill, caller: Caller): Promise<boolean> {
  try {
    await skill.check(caller);
    return true;
  } catch (error) {
    if (error instanceof HestiaError && error.code === 'INJECTION_SUSPECTED') return false;
    throw error;
  }
}

interface FileRead {
  skill: ServedSkill;
  file: SkillEntryFile;
  signal: AbortSignal;
  span: Span;
}

async function readAndRecord(
  { trail }: SkillResourcesDeps,
  caller: Caller,
  { skill, file, signal, span }: FileRead,
): Promise<Uint8Array> {
  const path = entryPath(skill.entry, file);
  const fields = {
    ...skill.fields(caller),
    file: printable(path),
    digest: file.digest.slice(file.digest.indexOf(':') + 1),
    bytes: file.size,
  };
  const record = (failed: boolean, more: EventFields) => {
    const event = { kind: 'security', name: 'SKILL_READ', failed, fields: { ...fields, ...more } } as const;
    return trail.record({ event, by: caller, span });
  };
  let bytes: Uint8Array;
  try {
    bytes = await skill.read(path, signal);
  } catch (error) {
    const errorType = errorTypeOf(error);
    failSpan(span, errorType);
    await record(true, { error_type: errorType });
    throw error;
  }
  const isRecorded = await record(false, {});
  if (isRecorded || !trail.isRequired) return bytes;
  throw new HestiaError(
    'STORAGE_FAILED',
    'the audit record of this read could not be written, and policy.auditMode requires one: the file is withheld',
  );
}

/** The direct children of a folder in the files of skills, by URI. A folder's URI ends in a slash. */
function childrenOf(folder: string, skills: readonly ServedSkill[]): SkillChild[] {
  const children = new Map<string, SkillChild>();
  for (const { uri, size } of skills.flatMap(({ entry }) => entry.resources)) {
    if (!uri.startsWith(folder)) continue;
    const [segment = '', ...below] = uri.slice(folder.length).split('/');
    const child = { uri: `${folder}${segment}`, name: decodeURIComponent(segment) };
    children.set(child.uri, below.length > 0 ? child : { ...child, size });
  }
  return [...children.values()].sort((left, right) => (left.uri < right.uri ? -1 : 1));
}

function pageAfter(children: readonly SkillChild[], cursor: string | undefined): SkillPage<SkillChild> {
  const { after } = positionOf(cursor === undefined ? encodeCursor('uri:') : cursor);
  const rest = children.filter(({ uri }) => uri > after);
  const items = rest.slice(0, skillPageMax);
  const last = items.at(-1);
  return { items, ...(last && rest.length > items.length && { nextCursor: encodeCursor(`uri:${last.uri}`) }) };
}
