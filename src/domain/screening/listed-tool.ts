/** Tools of a list with the digests of their definitions. */
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { definitionDigest, pinnedDefinition } from '../scan/tool-definition.ts';

/** A tool with its pinned definition. `digest` is undefined if the definition has no canonical form. */
export interface ListedTool {
  tool: ToolDefinition;
  definition: JsonObject;
  digest: string | undefined;
}

/** Computes the digests, in time slices. */
export async function listedTools(tools: readonly ToolDefinition[]): Promise<ListedTool[]> {
  const slice = createTimeSlices();
  const listed: ListedTool[] = [];
  for (const tool of tools) {
    const definition = pinnedDefinition(tool);
    listed.push({ tool, definition, digest: definitionDigest(definition) });
    await slice();
  }
  return listed;
}
