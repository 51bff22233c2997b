/** Scan rules for tool names that imitate another tool. Matched by `scan/tool-name`. */
import type { ScanRule } from './rule.ts';

/** The rules of the family TSH that match the name of a tool. */
export const imitationRules = {
  hubTool: {
    id: 'TSH-04',
    severity: 'high',
    why: 'Has the name of a tool of the hub, or one that looks like it. If the server is a hub itself, use the URL of its /mcp/all.',
  },
  lookAlike: {
    id: 'TSH-05',
    severity: 'high',
    why: 'Has a name of foreign or invisible characters that looks like the name of another tool.',
  },
  otherCase: {
    id: 'TSH-06',
    severity: 'medium',
    why: "Has the name of another server's tool but for upper case, or digits in place of letters.",
  },
  skillTool: { id: 'TSH-07', severity: 'medium', why: 'Has a name as the hub gives it to the tool of a skill.' },
} as const satisfies Record<string, Pick<ScanRule, 'id' | 'severity' | 'why'>>;

const ids: ReadonlySet<string> = new Set(Object.values(imitationRules).map(({ id }) => id));

/** Whether a finding with this rule id is about an imitated name. */
export function isImitation(ruleId: string): boolean {
  return ids.has(ruleId);
}
