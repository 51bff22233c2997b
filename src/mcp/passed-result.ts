/**
 * Results of upstream servers and skills in the form that the client of a call understands. What every client understands
 * passes unchanged. A block that some would refuse, and the result with it, becomes text with the JSON of the block.
 */
import { type CallToolResult, isCallToolResult } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject, withoutNulls } from '../shapes/json.ts';
import type { InputRequired, ToolResult } from '../shapes/tool.ts';

/** The protocol version that introduced `resource_link`. */
const linksSince = '2025-06-18';
/** The protocol version that admits any JSON as structured content (SEP-2106). Before, it is an object. */
const anyStructureSince = '2026-07-28';

/**
 * The result as MCP.
 * @param version the protocol version of the client; undefined for one that names none, as before 2025-06-18
 */
export function passedThrough(result: ToolResult, version = ''): CallToolResult {
  if (result.inputRequired !== undefined) return inputRequiredResult(result, result.inputRequired);
  const structured = version < anyStructureSince ? withObjectStructure(result) : result;
  const hasLinks = version >= linksSince || !structured.content.some(isLink);
  if (hasLinks && isCallToolResult(structured)) return structured;
  const content = structured.content.map((block) => understoodBlock(block, version >= linksSince));
  return { ...structured, content };
}

/** The result that asks for input. Its content, which clients ignore, is empty. */
function inputRequiredResult({ _meta }: ToolResult, inputRequired: InputRequired): CallToolResult {
  return { content: [], resultType: 'input_required', ...inputRequired, ...(_meta && { _meta }) };
}

/** Wraps structured content that is not an object in `{ result }`, and repeats it as text, as the SDK does. */
function withObjectStructure(result: ToolResult): ToolResult {
  const { structuredContent, content } = result;
  if (structuredContent === undefined || isJsonObject(structuredContent)) return result;
  return {
    ...result,
    structuredContent: { result: structuredContent },
    content: content.length > 0 ? content : [textBlock(structuredContent)],
  };
}

function understoodBlock(block: JsonObject, hasLinks: boolean): CallToolResult['content'][number] {
  if (isLink(block) && !hasLinks) return textBlock(block);
  for (const candidate of [block, withoutNulls(block)]) {
    const single = { content: [candidate] };
    if (isCallToolResult(single)) return single.content[0] ?? textBlock(block);
  }
  return textBlock(block);
}

function isLink({ type }: JsonObject): boolean {
  return type === 'resource_link';
}

function textBlock(value: unknown): { type: 'text'; text: string } {
  return { type: 'text', text: JSON.stringify(value) };
}
