/**
 * Fetches the skills of an upstream server (MCP Skills extension, SEP-2640) and reads their files. The
 * library checks each entry, and each file against the size and digest of its entry. What exceeds a limit is refused and
 * counted.
 */

import { SKILL_LIMITS, type Skill, SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import { isDeeperThan } from '../../shapes/json.ts';
import { callFailure, UpstreamCallError } from '../call-failure.ts';
import type { UpstreamLog } from '../log.ts';
import type { Session } from '../session.ts';

/** Limits of the skills of one server. Bytes are those of all files of a skill, as its entry states them. */
export const upstreamSkillLimits = {
  skillsMax: 256,
  filesMax: SKILL_LIMITS.files,
  bytesMax: SKILL_LIMITS.bytes,
  uriLengthMax: 1024,
} as const;

/** A file of an upstream skill. `digest` is `sha256:` and the hash of its bytes, in hex. */
export type UpstreamSkillFile = Exclude<Skill['resources'], 'dynamic'>[number];

/** The entry of an upstream skill, with a complete list of its files. */
export type UpstreamSkill = Skill & { resources: UpstreamSkillFile[] };

/** The skills of a server, and how to read them. */
export interface UpstreamSkillList {
  skills: readonly UpstreamSkill[];
  /**
   * Reads a file of a skill and verifies it against the entry. May be repeated.
   * @throws UpstreamCallError, and nothing else; `invalid_response` for a file that differs from its entry
   */
  read(skill: UpstreamSkill, uri: string, signal: AbortSignal): Promise<Uint8Array>;
}

/** Dependencies of fetching a list. `timeoutMs` is for all pages together, and for each file. */
export interface SkillListDeps {
  serverId: string;
  session: Session;
  timeoutMs: number;
  log: UpstreamLog;
}

/** Whether the server of a session declares the extension. */
export function servesSkills({ client }: Session): boolean {
  return new SkillsClient(client).supported;
}

/**
 * Fetches all pages. May be repeated.
 * @throws the errors of the client. They may contain text of the upstream, so they must only be classified.
 */
export async function fetchSkillList({ serverId, session, timeoutMs, log }: SkillListDeps): Promise<UpstreamSkillList> {
  const client = new SkillsClient(session.client, { skipInvalid: true });
  const { skills: listed, invalid } = await client.list(
    {},
    { signal: AbortSignal.timeout(timeoutMs), timeout: timeoutMs },
  );
  const acceptable = listed.filter(isAcceptable);
  const skills = acceptable.slice(0, upstreamSkillLimits.skillsMax);
  if (invalid.length + listed.length > skills.length) {
    log.warn('Skills of an upstream server were refused', {
      server_id: serverId,
      broken_count: invalid.length,
      unverifiable_or_large_count: listed.length - acceptable.length,
      over_limit_count: acceptable.length - skills.length,
    });
  }
  return { skills, read: (skill, uri, signal) => readFile({ client, session, timeoutMs }, { skill, uri, signal }) };
}

/** Levels of nesting of a frontmatter. A deeper one could not be written as JSON. */
const levelsMax = 32;

/** Accepts a skill within the limits whose files have digests: without them, what is read is not what was scanned. */
function isAcceptable(skill: Skill): skill is UpstreamSkill {
  const { uri, resources, frontmatter } = skill;
  if (isDeeperThan(levelsMax, frontmatter)) return false;
  if (resources === 'dynamic' || resources.length > upstreamSkillLimits.filesMax) return false;
  if (![uri, ...resources.map((file) => file.uri)].every(isReadableUri)) return false;
  return resources.reduce((sum, { size }) => sum + size, 0) <= upstreamSkillLimits.bytesMax;
}

/** Whether a URI is short enough, and its escapes are text: the path of a file is what they stand for. */
function isReadableUri(uri: string): boolean {
  try {
    decodeURIComponent(uri);
    return uri.length <= upstreamSkillLimits.uriLengthMax;
  } catch {
    return false;
  }
}

async function readFile(
  { client, session, timeoutMs }: { client: SkillsClient; session: Session; timeoutMs: number },
  { skill, uri, signal }: { skill: UpstreamSkill; uri: string; signal: AbortSignal },
): Promise<Uint8Array> {
  try {
    const { bytes } = await client.read(skill, uri, { signal, timeout: timeoutMs, cacheMode: 'bypass' });
    return bytes;
  } catch (error) {
    throw signal.aborted ? new UpstreamCallError('cancelled') : callFailure(error, session.era === 'modern');
  }
}
