/** What an operator decides about scanned text and about upstream tools that change: the keys below `policy`. */
import { z } from 'zod';
import { type ScanAction, type ScanSeverity, scanActionSchema, scanSeverities } from './scan.ts';

/**
 * Hosts of installers that are widely known, whose `curl … | sh` is an instruction of the vendor. A list of names, not
 * of trust: an operator replaces it by an own one.
 */
export const defaultInstallerHosts: readonly string[] = [
  'astral.sh',
  'bun.sh',
  'cli.github.com',
  'deno.land',
  'dl.google.com',
  'dot.net',
  'fnm.vercel.app',
  'get.docker.com',
  'get.helm.sh',
  'get.pnpm.io',
  'get.rvm.io',
  'install.python-poetry.org',
  'mise.run',
  'ollama.com',
  'sh.rustup.rs',
  'starship.rs',
];

const action = (severity: ScanSeverity, byDefault: ScanAction) =>
  scanActionSchema
    .default(byDefault)
    .describe(`What is done with text in which a finding of severity ${severity} is the worst.`);

/** `policy.contentScan`. */
export const contentScanSchema = z
  .strictObject({
    critical: action('critical', 'block'),
    high: action('high', 'block'),
    medium: action('medium', 'warn'),
    low: action('low', 'warn'),
    installerHosts: z
      .array(z.string().min(1).max(253).toLowerCase())
      .max(1000)
      .default([...defaultInstallerHosts])
      .describe('Hosts whose installers a skill may fetch and run; a sub-domain is another host.'),
  })
  .prefault({});
export type ContentScanPolicy = z.infer<typeof contentScanSchema>;

/** `policy.toolChanges`. */
export const toolChangesSchema = z
  .enum(['warn', 'hold'])
  .default('warn')
  .describe('Whether a tool whose definition changed stays in use, or is held until an operator approves.');
export type ToolChangesPolicy = z.infer<typeof toolChangesSchema>;

/** The strictest action that the policy has for these severities; `warn` for none. */
export function actionFor(policy: ContentScanPolicy, severities: readonly ScanSeverity[]): ScanAction {
  const actions = scanSeverities
    .filter((severity) => severities.includes(severity))
    .map((severity) => policy[severity]);
  return scanActionSchema.options.find((strictest) => actions.includes(strictest)) ?? 'warn';
}
