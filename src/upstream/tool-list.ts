/**
 * Fetches the tool list of an upstream server, over all pages. Definitions are checked one by one, so that a broken one
 * hides no other. Refused ones are counted and logged, without text of the upstream.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { createTimeSlices } from '../flow/time-slices.ts';
import { isJsonObject, jsonObjectSchema } from '../shapes/json.ts';
import { printable } from '../shapes/text.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import { areAnnotationsValid } from './http/mirrored-arguments.ts';
import type { UpstreamLog } from './log.ts';
import { CollectedEntries } from './request/collected-entries.ts';
import { nextCursor } from './request/next-cursor.ts';

const pagesMax = 1000;
const toolNameLengthMax = 128;

/** Servers in Go send null for an empty list. */
const pageSchema = z.looseObject({ tools: z.array(z.unknown()).nullish(), nextCursor: z.unknown().optional() });

/** The input schema of a tool for which the server gives none. */
const anyArguments = { type: 'object' };

const listedToolSchema = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(toolNameLengthMax)
    .refine((name) => name.isWellFormed() && printable(name) === name),
  // What is of another type is taken as absent: it is no reason to lose the tool.
  title: z.string().nullish().catch(undefined),
  description: z.string().nullish().catch(undefined),
  inputSchema: jsonObjectSchema.catch(anyArguments),
  outputSchema: jsonObjectSchema.nullish().catch(undefined),
  annotations: jsonObjectSchema.nullish().catch(undefined),
});

/** The tools that can be offered, and the number of those refused. */
export interface ToolList {
  tools: readonly ToolDefinition[];
  refused: number;
}

/** Dependencies of fetching a list. */
export interface ToolListDeps {
  serverId: string;
  client: Client;
  /** Whether arguments are mirrored in headers: tools that ask for it in an invalid way are refused. */
  mirrorsArguments: boolean;
  toolsMax: number;
  /** The most UTF-16 units of one tool, and of all tools together. */
  toolLengthMax: number;
  listLengthMax: number;
  /** The timeout for all pages together, in milliseconds. */
  timeoutMs: number;
  log: UpstreamLog;
}

/**
 * Fetches all pages. May be repeated.
 * @throws the errors of the client. They may contain text of the upstream, so they must only be classified.
 */
export async function fetchToolList(deps: ToolListDeps): Promise<ToolList> {
  if (deps.client.getServerCapabilities()?.tools === undefined) return { tools: [], refused: 0 };
  const signal = AbortSignal.timeout(deps.timeoutMs);
  const { toolsMax: entriesMax, toolLengthMax: entryLengthMax, listLengthMax } = deps;
  const collected = new CollectedEntries({ entriesMax, entryLengthMax, listLengthMax });
  const cursors = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < pagesMax && !collected.isFull(); pages += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const request = { method: 'tools/list', params };
    const page = await deps.client.request(request, pageSchema, { signal, timeout: deps.timeoutMs });
    await collected.add(page.tools ?? []);
    cursor = nextCursor(page.nextCursor, cursors);
    if (cursor === undefined) break;
  }
  return checkedList(collected, deps);
}

/** Keeps the first valid definition of each name, up to the limit. */
async function checkedList(
  { entries: listed, tooLongCount }: CollectedEntries,
  { serverId, mirrorsArguments, toolsMax, log }: ToolListDeps,
): Promise<ToolList> {
  const tools = new Map<string, ToolDefinition>();
  const refused = { broken: 0, duplicate: 0, overLimit: 0, invalidHeader: 0, tooLong: tooLongCount };
  const slice = createTimeSlices();
  for (const item of listed) {
    await slice();
    const parsed = listedToolSchema.safeParse(item);
    if (!parsed.success) refused.broken += 1;
    else if (tools.has(parsed.data.name)) refused.duplicate += 1;
    else if (mirrorsArguments && !areAnnotationsValid(parsed.data.inputSchema)) refused.invalidHeader += 1;
    else if (tools.size >= toolsMax) refused.overLimit += 1;
    else tools.set(parsed.data.name, definition(serverId, parsed.data));
  }
  const count = Object.values(refused).reduce((sum, part) => sum + part, 0);
  if (count > 0) {
    log.warn('Tools of an upstream server were refused', {
      server_id: serverId,
      broken_count: refused.broken,
      duplicate_count: refused.duplicate,
      over_limit_count: refused.overLimit,
      invalid_header_count: refused.invalidHeader,
      too_long_count: refused.tooLong,
    });
  }
  return { tools: [...tools.values()], refused: count };
}

/** Whether two lists are the same, tool by tool, in slices of a few milliseconds. */
export async function areListsEqual(list: ToolList, other: ToolList): Promise<boolean> {
  if (list.refused !== other.refused || list.tools.length !== other.tools.length) return false;
  const slice = createTimeSlices();
  for (const [at, tool] of list.tools.entries()) {
    if (!isDeepStrictEqual(tool, other.tools[at])) return false;
    await slice();
  }
  return true;
}

function definition(serverId: string, listed: z.infer<typeof listedToolSchema>): ToolDefinition {
  const { icons, execution, _meta: meta } = listed;
  return {
    serverId,
    toolName: listed.name,
    title: listed.title ?? undefined,
    description: listed.description ?? '',
    inputSchema: listed.inputSchema,
    outputSchema: listed.outputSchema ?? undefined,
    annotations: listed.annotations ?? undefined,
    ...(Array.isArray(icons) && { icons }),
    ...(isJsonObject(execution) && { execution }),
    ...(isJsonObject(meta) && { meta }),
  };
}
