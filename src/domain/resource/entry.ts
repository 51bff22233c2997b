/**
 * Entries of the MCP Skills extension (SEP-2640): files of a skill with URI, size and digest. The
 * library builds and checks an entry as clients check it, so that a client accepts each entry that is served.
 */
import { type Skill as LibraryEntry, SkillCatalogError, skillEntry } from '@modelcontextprotocol/server/ext/skills';
import type { Caller } from '../../shapes/access.ts';
import type { EventFields } from '../../shapes/event.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { skillFileName } from '../skill/document.ts';

/** A file of an entry. `digest` is `sha256:` and the hash of its bytes in hex, `size` the number of its bytes. */
export interface SkillEntryFile {
  uri: string;
  digest: string;
  size: number;
}

/** An entry: the URI of SKILL.md, its frontmatter as JSON, and every file, sorted by URI. */
export type SkillEntry = LibraryEntry & { resources: SkillEntryFile[] };

/** A skill that is served: its entry, its fields in events, and its content. */
export interface ServedSkill {
  entry: SkillEntry;
  /** The fields that name the skill in the events of a caller. */
  fields(caller: Caller): EventFields;
  /**
   * Checks that the content may be read now.
   * @throws HestiaError INJECTION_SUSPECTED, after the refusal was recorded; STORAGE_FAILED
   */
  check(caller: Caller): Promise<void>;
  /**
   * Reads a file by its path in the skill.
   * @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, UPSTREAM_FAILED, RESPONSE_TOO_LARGE, ABANDONED, STORAGE_FAILED
   */
  read(path: string, signal: AbortSignal): Promise<Uint8Array>;
}

/** The scheme of the URIs of all skills that the hub serves. */
export const skillUriScheme = 'skill://';

/**
 * The entry of a document, at `skill://<name>/`. Undefined for a document that the extension does not allow, such as one
 * with a name that is not in the form of the Agent Skills specification.
 */
export async function documentEntry(name: string, document: SkillDocument): Promise<SkillEntry | undefined> {
  const writtenName = document.attributes.name;
  try {
    // The last segment of the path must be the name in the frontmatter, which may differ from the name in the registry.
    const path = typeof writtenName === 'string' && writtenName !== name ? `${name}/${writtenName}` : name;
    const entry = await skillEntry(path, documentFiles(document));
    const { resources } = entry;
    return resources === 'dynamic' ? undefined : { ...entry, resources };
  } catch (error) {
    if (error instanceof SkillCatalogError) return undefined;
    throw error;
  }
}

/** The files of a document by path, SKILL.md included, as bytes. */
export function documentFiles(document: SkillDocument): Record<string, Uint8Array> {
  const files = document.files.map(({ path, content, encoding }) => [path, Buffer.from(content, encoding)] as const);
  return Object.fromEntries([[skillFileName, Buffer.from(document.source, 'utf8')] as const, ...files]);
}

/** The path of a file below the folder of its entry's SKILL.md. */
export function entryPath(entry: SkillEntry, file: SkillEntryFile): string {
  return decodeURIComponent(file.uri.slice(entryRoot(entry).length));
}

/** The URI of the folder of an entry, with a slash at its end. */
export function entryRoot({ uri }: SkillEntry): string {
  return uri.slice(0, -skillFileName.length);
}
