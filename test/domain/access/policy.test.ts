/** The access policy: each role and action, ownership and namespaces, and properties that hold for any caller. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, checkPermission } from '../../../src/domain/access/policy.ts';
import type { Role } from '../../../src/shapes/access.ts';

const caller = (role: Role) => ({ keyId: 'k', agentId: 'me', namespace: 'here', role });

/** The permission of agent, auditor and operator for each action without a target. */
const table: Record<Action, [agent: string, auditor: string, operator: string]> = {
  'skill.read': ['allowed', 'allowed', 'allowed'],
  'skill.publish': ['allowed', 'forbidden', 'allowed'],
  'skill.manage': ['allowed', 'forbidden', 'allowed'],
  'server.read': ['allowed', 'allowed', 'allowed'],
  'server.manage': ['forbidden', 'forbidden', 'allowed'],
  'server.use': ['allowed', 'forbidden', 'allowed'],
  'tool.search': ['allowed', 'allowed', 'allowed'],
  'search.read': ['allowed', 'allowed', 'allowed'],
  'tool.call': ['allowed', 'forbidden', 'allowed'],
  'statistics.read': ['allowed', 'allowed', 'allowed'],
  'scheduler.read': ['allowed', 'allowed', 'allowed'],
  'scheduler.run': ['forbidden', 'forbidden', 'allowed'],
  'audit.read': ['forbidden', 'allowed', 'allowed'],
  'audit.manage': ['forbidden', 'forbidden', 'allowed'],
  'quarantine.read': ['forbidden', 'allowed', 'allowed'],
  'quarantine.manage': ['forbidden', 'forbidden', 'allowed'],
  'key.manage': ['forbidden', 'forbidden', 'allowed'],
};
const actions = Object.keys(table).filter((action): action is Action => action in table);

describe.each(actions)('%s', (action) => {
  test.each([
    ['agent', 0],
    ['auditor', 1],
    ['operator', 2],
  ] as const)('by role %s is decided as in the table', (role, column) => {
    expect(checkPermission(caller(role), action)).toBe(table[action][column]);
  });
});

describe('a target', () => {
  const own = { namespace: 'here', ownerAgentId: 'me' };
  const others = { namespace: 'here', ownerAgentId: 'someone' };
  const elsewhere = { namespace: 'there', ownerAgentId: 'me' };
  test.each([
    ['agent', 'skill.manage', own, 'allowed'],
    ['agent', 'skill.manage', others, 'forbidden'],
    ['agent', 'skill.manage', elsewhere, 'absent'],
    ['agent', 'skill.read', others, 'allowed'],
    ['agent', 'skill.read', elsewhere, 'absent'],
    ['auditor', 'skill.read', elsewhere, 'allowed'],
    ['auditor', 'skill.manage', own, 'forbidden'],
    ['auditor', 'skill.manage', elsewhere, 'forbidden'],
    ['operator', 'skill.manage', others, 'allowed'],
    ['operator', 'skill.manage', elsewhere, 'allowed'],
  ] as const)('%s, %s: %j is %s', (role, action, target, expected) => {
    expect(checkPermission(caller(role), action, target)).toBe(expected);
  });
});

describe('any caller and any action', () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const anyone = fc.record({
    keyId: text,
    agentId: text,
    namespace: text,
    role: fc.constantFrom<Role>('agent', 'auditor', 'operator'),
  });
  const target = fc.record({ namespace: text, ownerAgentId: text });
  const action = fc.constantFrom(...actions);
  const changes: readonly Action[] = actions.filter((name) => /\.(publish|manage|call|run)$/.test(name));

  test('an agent never sees a target in another namespace, whatever its owner and the action', () => {
    const property = fc.property(anyone, action, target, (caller, asked, found) => {
      fc.pre(caller.namespace !== found.namespace);
      expect(checkPermission({ ...caller, role: 'agent' }, asked, found)).toBe('absent');
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('an auditor may change nothing, and an operator may do everything', () => {
    const property = fc.property(anyone, action, fc.option(target, { nil: undefined }), (caller, asked, found) => {
      expect(checkPermission({ ...caller, role: 'operator' }, asked, found)).toBe('allowed');
      if (changes.includes(asked))
        expect(checkPermission({ ...caller, role: 'auditor' }, asked, found)).toBe('forbidden');
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('ownership of a target never removes a permission', () => {
    const property = fc.property(anyone, action, target, (caller, asked, found) => {
      const own = { namespace: caller.namespace, ownerAgentId: caller.agentId };
      if (checkPermission(caller, asked, found) === 'allowed')
        expect(checkPermission(caller, asked, own)).toBe('allowed');
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
