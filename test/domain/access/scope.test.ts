/** The scope of an API key: what globs match, tools that only read, and the hub's own tools. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInScope, isNameInScope, isServerInScope, mayBeOutOfScope } from '../../../src/domain/access/scope.ts';
import { keyScopeSchema } from '../../../src/shapes/access.ts';
import type { ToolDefinition } from '../../../src/shapes/tool.ts';

const definition = (serverId: string, toolName: string, annotations?: ToolDefinition['annotations']) => ({
  serverId,
  toolName,
  description: '',
  inputSchema: {},
  annotations,
});

describe('globs', () => {
  test.each([
    ['github', 'get_issue', { servers: ['github'] }, true],
    ['github', 'get_issue', { servers: ['git'] }, false],
    ['github', 'get_issue', { servers: ['git*'] }, true],
    ['github', 'get_issue', { servers: ['jira', 'g?thub'] }, true],
    ['Github', 'get_issue', { servers: ['github'] }, false],
    ['io.github.user/server', 'read', { servers: ['io.github.*'] }, true],
    ['io_github', 'read', { servers: ['io.github'] }, false],
    ['@scope/name', 'read', { servers: ['*'] }, true],
    ['.hidden', 'read', { servers: ['*'] }, true],
    ['github', 'get_issue', { tools: ['github/get_*'] }, true],
    ['github', 'put_issue', { tools: ['github/get_*'] }, false],
    ['github/other', 'get_issue', { tools: ['github/get_*'] }, false],
    ['@scope/name', 'get_issue', { tools: ['@scope/name/get_*'] }, true],
    ['@scope/name', 'get_issue', { tools: ['*/get_*'] }, true],
    ['github', 'a/b', { tools: ['github/*'] }, true],
    ['github', 'line\nbreak', { tools: ['github/*'] }, true],
    ['github', 'get_issue', { servers: ['jira'], tools: ['*/*'] }, false],
    ['github', 'get_issue', { servers: ['github'], tools: ['jira/*'] }, false],
    ['github', 'get_issue', { servers: ['github'], tools: ['jira/*', '*/get_*'] }, true],
  ])('%s, %j of %j: %s', (serverId, toolName, scope, expected) => {
    expect(isNameInScope(scope, { serverId, toolName })).toBe(expected);
  });

  test('of tools decide which servers there are', () => {
    const scope = { tools: ['github/get_*', 'jira*/*'] };
    const servers = ['github', 'jira', 'jira-old', 'slack', 'github/other'];
    expect(servers.filter((serverId) => isServerInScope(scope, serverId))).toEqual(['github', 'jira', 'jira-old']);
  });

  test('with other wildcards are refused', () => {
    for (const servers of [['{a,b}'], ['[ab]'], ['!a'], ['']]) {
      expect(keyScopeSchema.safeParse({ servers }).success).toBe(false);
    }
    expect(keyScopeSchema.safeParse({ tools: ['github'] }).success).toBe(false);
    expect(keyScopeSchema.safeParse({}).success).toBe(false);
    expect(keyScopeSchema.safeParse({ readOnly: false }).success).toBe(false);
  });

  test('match a hostile name in linear time', () => {
    const scope = { servers: [`${'*a'.repeat(120)}b`] };
    const startedAt = performance.now();
    expect(isServerInScope(scope, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('a key that may only read', () => {
  const scope = { readOnly: true };
  test.each([
    [{ readOnlyHint: true }, true],
    [{ readOnlyHint: false }, false],
    [{ readOnlyHint: 'true' }, false],
    [{}, false],
    [undefined, false],
  ])('has an upstream tool with annotations %j: %s', (annotations, expected) => {
    const tool = { source: 'upstream', definition: definition('s', 't', annotations) } as const;
    expect(isInScope(scope, tool)).toBe(expected);
  });

  test('has the tool of an active skill, and not of one that its call would activate', () => {
    const tool = { source: 'skill', definition: definition('hestia', 'skill_x', { readOnlyHint: true }) } as const;
    expect(isInScope(scope, tool)).toBe(true);
    expect(isInScope(scope, { ...tool, inactiveSkill: { name: 'x', ownerAgentId: 'me' } })).toBe(false);
  });
});

describe('any scope', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-', '_'), minLength: 1, maxLength: 6 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*', '?'), minLength: 1, maxLength: 6 });
  const scopes = fc
    .record({ servers: fc.array(glob), tools: fc.array(glob), readOnly: fc.boolean() }, { requiredKeys: [] })
    .filter((scope) => keyScopeSchema.safeParse(scope).success);
  const annotations = fc.constantFrom(undefined, { readOnlyHint: true }, { readOnlyHint: false });

  test('has no tool of a server that it does not have, and tells the absent from the hidden by no name', () => {
    fc.assert(
      fc.property(scopes, name, name, annotations, (scope, serverId, toolName, hints) => {
        const tool = { source: 'upstream', definition: definition(serverId, toolName, hints) } as const;
        const hasTool = isInScope(scope, tool);
        if (hasTool) expect(isServerInScope(scope, serverId)).toBe(true);
        if (!hasTool) expect(mayBeOutOfScope(scope, tool.definition)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('matches as the equivalent regular expression does', () => {
    const matches = (pattern: string, text: string) =>
      new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        expect(isServerInScope({ servers: [pattern] }, text)).toBe(matches(pattern, text));
      }),
      { numRuns: 500 },
    );
  });
});
