/**
 * The skills that upstream servers serve, as resources under `skill://<server>/`. Every file of a skill is read and scanned
 * before the skill is offered, and read again from its server for a caller. Its digest ensures that both reads agree.
 */
import { createKeyedQueue } from '../../flow/keyed-queue.ts';
import { hubCaller } from '../../shapes/access.ts';
import { type ErrorCode, HestiaError } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import { upstreamSkillScope } from '../../shapes/quarantine.ts';
import type { SkillDocument, SkillFile } from '../../shapes/skill.ts';
import type { QuarantineStore } from '../../stores/quarantine-store.ts';
import type { Log } from '../../telemetry/log.ts';
import { UpstreamCallError, type UpstreamErrorType } from '../../upstream/call-failure.ts';
import type { UpstreamSkill, UpstreamSkillList } from '../../upstream/skills/list.ts';
import type { SkillGate } from '../screening/skill-gate.ts';
import { parseSkillDocument, skillFile, skillFileName } from '../skill/document.ts';
import { entryPath, entryRoot, type ServedSkill, type SkillEntry, skillUriScheme } from './entry.ts';

/** A skill of an upstream server. */
export interface UpstreamServedSkill extends ServedSkill {
  serverId: string;
}

/** The registry of upstream skills. */
export interface UpstreamSkills {
  /** Scans the skills of a server and replaces those known before; undefined removes them. Never throws. */
  admit(serverId: string, list: UpstreamSkillList | undefined): Promise<void>;
  /** The skills of one server or of all that are neither blocked nor held, by URI. @throws HestiaError STORAGE_FAILED */
  list(serverId?: string): Promise<UpstreamServedSkill[]>;
}

/** Dependencies of the registry. */
export interface UpstreamSkillsDeps {
  skillGate: SkillGate;
  quarantineStore: QuarantineStore;
  log: Log;
}

/** Bytes of skills that are read from one server for the scan of one list. Skills beyond it are refused. */
const scannedBytesMax = 64 * 1_048_576;

/** A scanned skill. `digest` is that of its parsed content, which an approval of the quarantine is for. */
interface ScannedSkill {
  served: UpstreamServedSkill;
  listed: UpstreamSkill;
  digest: string;
}

/** Creates an empty registry. */
export function createUpstreamSkills(deps: UpstreamSkillsDeps): UpstreamSkills {
  const queue = createKeyedQueue();
  const servers = new Map<string, ScannedSkill[]>();
  return {
    admit: (serverId, list) =>
      queue(serverId, async () => {
        if (list === undefined) servers.delete(serverId);
        else servers.set(serverId, await scanList(deps, serverId, { list, known: servers.get(serverId) ?? [] }));
      }),
    list: async (serverId) => {
      const skills = serverId === undefined ? [...servers.values()].flat() : (servers.get(serverId) ?? []);
      const offered: UpstreamServedSkill[] = [];
      for (const skill of skills) {
        if (await isOffered(deps, skill)) offered.push(skill.served);
      }
      return offered.sort((left, right) => (left.entry.uri < right.entry.uri ? -1 : 1));
    },
  };
}

async function isOffered({ quarantineStore }: UpstreamSkillsDeps, { served, digest }: ScannedSkill): Promise<boolean> {
  const { entry, serverId } = served;
  const { name } = entry.frontmatter;
  const subject = { kind: 'skill', scope: upstreamSkillScope(serverId), name, digest } as const;
  const state = (await quarantineStore.find(subject))?.state;
  return state !== 'blocked' && state !== 'held';
}

async function scanList(
  deps: UpstreamSkillsDeps,
  serverId: string,
  { list, known }: { list: UpstreamSkillList; known: readonly ScannedSkill[] },
): Promise<ScannedSkill[]> {
  const knownDigests = new Map(known.map(({ listed, digest }) => [JSON.stringify(listed), digest]));
  const scanned = new Map<string, ScannedSkill>();
  let bytes = 0;
  for (const listed of list.skills) {
    const entry = hubEntry(serverId, listed);
    bytes += listed.resources.reduce((sum, { size }) => sum + size, 0);
    if (entry === undefined || scanned.has(entry.uri) || bytes > scannedBytesMax) continue;
    const served = servedSkill(serverId, entry, { list, listed });
    const digest = knownDigests.get(JSON.stringify(listed)) ?? (await scanSkill(deps, served));
    if (digest !== undefined) scanned.set(entry.uri, { served, listed, digest });
  }
  const failedCount = list.skills.length - scanned.size;
  if (failedCount > 0) {
    const fields = { server_id: serverId, failed_count: failedCount };
    deps.log.warn('Skills of an upstream server could not be read and scanned, and are not offered', fields);
  }
  return [...scanned.values()];
}

/** The entry with the server's name before each path. Undefined for a URI that has no authority, or another scheme. */
function hubEntry(serverId: string, { frontmatter, uri, resources }: UpstreamSkill): SkillEntry | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/(?!\/)/i.exec(uri)?.[0];
  if (scheme === undefined || resources.some((file) => !file.uri.startsWith(scheme))) return undefined;
  const hubUri = (upstreamUri: string) => `${serverRoot(serverId)}${upstreamUri.slice(scheme.length)}`;
  return {
    uri: hubUri(uri),
    frontmatter,
    resources: resources.map((file) => ({ uri: hubUri(file.uri), digest: file.digest, size: file.size })),
  };
}

function serverRoot(serverId: string): string {
  return `${skillUriScheme}${encodeURIComponent(serverId)}/`;
}

function servedSkill(
  serverId: string,
  entry: SkillEntry,
  { list, listed }: { list: UpstreamSkillList; listed: UpstreamSkill },
): UpstreamServedSkill {
  const uris = new Map(entry.resources.map((file, at) => [entryPath(entry, file), listed.resources[at]?.uri ?? '']));
  return {
    serverId,
    entry,
    fields: ({ agentId, namespace }) => skillEventFields(serverId, entry, { agentId, namespace }),
    check: async () => undefined,
    read: async (path, signal) => {
      try {
        return await list.read(listed, uris.get(path) ?? '', signal);
      } catch (error) {
        throw readError(error);
      }
    },
  };
}

function skillEventFields(
  serverId: string,
  { frontmatter }: SkillEntry,
  { agentId, namespace }: { agentId: string; namespace: string },
): EventFields {
  return { skill_name: frontmatter.name, server_id: serverId, agent_id: agentId, namespace };
}

const readErrors: Record<UpstreamErrorType, { code: ErrorCode; message: string }> = {
  server_unavailable: { code: 'SERVER_UNAVAILABLE', message: 'the server is not connected; see its status' },
  login_required: { code: 'LOGIN_REQUIRED', message: 'the server requires a login; see its status' },
  connection_lost: { code: 'UPSTREAM_FAILED', message: 'the connection to the server was lost during the read' },
  upstream_error: { code: 'UPSTREAM_FAILED', message: 'the server answered with an error' },
  invalid_response: { code: 'UPSTREAM_FAILED', message: 'the file that the server sent is not the one that it listed' },
  response_too_large: { code: 'RESPONSE_TOO_LARGE', message: "the server's response is over the limit" },
  cancelled: { code: 'ABANDONED', message: 'the read was cancelled' },
};

function readError(error: unknown): unknown {
  if (!(error instanceof UpstreamCallError)) return error;
  const { code, message } = readErrors[error.errorType];
  return new HestiaError(code, message);
}

/** Reads and scans a skill. Returns its digest, also where it is blocked or held, and undefined for a failure. */
async function scanSkill(
  { skillGate, log }: UpstreamSkillsDeps,
  served: UpstreamServedSkill,
): Promise<string | undefined> {
  const { serverId, entry } = served;
  try {
    const document = await readDocument(served);
    const fields = skillEventFields(serverId, entry, hubCaller);
    try {
      const scope = upstreamSkillScope(serverId);
      await skillGate.check({ caller: hubCaller, namespace: scope, document, fields, step: 'read' });
    } catch (error) {
      // The refusal is in the quarantine, which is checked whenever skills are listed.
      if (!(error instanceof HestiaError) || error.code !== 'INJECTION_SUSPECTED') throw error;
    }
    return document.digest;
  } catch (error) {
    const errorType = error instanceof HestiaError ? error.code : 'INTERNAL';
    const fields = { server_id: serverId, error_type: errorType };
    log.debug('A skill of an upstream server could not be read or scanned', fields);
    return undefined;
  }
}

async function readDocument({ entry, read }: UpstreamServedSkill): Promise<SkillDocument> {
  const { signal } = new AbortController();
  const files: SkillFile[] = [];
  let document: Uint8Array = Buffer.of();
  for (const file of entry.resources) {
    const path = entryPath(entry, file);
    const bytes = await read(path, signal);
    if (path === skillFileName) document = bytes;
    else files.push(skillFile(path, Buffer.from(bytes)));
  }
  const folderName = decodeURIComponent(entryRoot(entry).split('/').at(-2) ?? '');
  return parseSkillDocument({ document, files, folderName });
}
