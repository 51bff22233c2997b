/** The form of upstream results for clients of each protocol version. */
import { isCallToolResult } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import { passedThrough } from '../../src/mcp/passed-result.ts';
import type { JsonObject } from '../../src/shapes/json.ts';

const versions = [undefined, '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
const link = { type: 'resource_link', uri: 'file:///a', name: 'a' };
const ofBlock = (block: JsonObject, version?: string) =>
  passedThrough({ content: [block], isError: false }, version).content[0];

describe.each(versions)('for a client of version %s, a content block', (version) => {
  test.each<[string, JsonObject]>([
    ['with an unknown member', { type: 'text', text: 'a', own: { deep: [1] } }],
    ['with annotations and _meta', { type: 'text', text: 'a', annotations: { priority: 1, own: 2 }, _meta: { a: 1 } }],
    ['of an image', { type: 'image', data: 'aGk=', mimeType: 'image/png' }],
    ['of an embedded resource', { type: 'resource', resource: { uri: 'a:b', text: 'x', own: 1 } }],
  ])('%s passes unchanged', (_what, block) => {
    expect(ofBlock(block, version)).toBe(block);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['annotations', { annotations: null }, {}],
    ['_meta', { _meta: null }, {}],
    [
      'a member of its annotations',
      { annotations: { audience: null, priority: 0.5 } },
      { annotations: { priority: 0.5 } },
    ],
  ])('whose %s are null passes without them', (_what, found, left) => {
    expect(ofBlock({ type: 'text', text: 'a', ...found }, version)).toEqual({ type: 'text', text: 'a', ...left });
  });

  test.each<[string, JsonObject]>([
    ['of an unknown type', { type: 'hologram', data: 'x' }],
    ['without a type', { text: 'x' }],
    ['whose text is null', { type: 'text', text: null }],
    ['whose text is a number', { type: 'text', text: 5 }],
    ['of an image without data', { type: 'image', mimeType: 'image/png' }],
    ['of a resource that is null', { type: 'resource', resource: null }],
  ])('%s becomes text with its JSON, and leaves the others unchanged', (_what, block) => {
    const other = { type: 'text', text: 'other' };
    const result = passedThrough({ content: [other, block], isError: false, own: 1 }, version);
    expect(result).toEqual({ content: [other, { type: 'text', text: JSON.stringify(block) }], isError: false, own: 1 });
    expect(isCallToolResult(result)).toBe(true);
  });
});

describe('a resource link', () => {
  test.each(versions)('passes to a client of version %s if that version has links, otherwise as text', (version) => {
    const isKnown = version !== undefined && version >= '2025-06-18';
    expect(ofBlock(link, version)).toEqual(isKnown ? link : { type: 'text', text: JSON.stringify(link) });
  });
});

describe('structured content that is not an object', () => {
  test.each([[[1, 2]], ['text'], [0], [null]])('%j is wrapped for versions before 2026-07-28', (structuredContent) => {
    const result = { content: [], structuredContent, isError: false };
    expect(passedThrough(result, '2026-07-28')).toBe(result);
    expect(passedThrough(result, '2025-11-25')).toEqual({
      content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
      structuredContent: { result: structuredContent },
      isError: false,
    });
  });
});
