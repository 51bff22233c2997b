/** Policy for scanned content and for changed tool definitions: keys of `policy` in the configuration. */
import { z } from 'zod';
import { type ScanAction, type ScanSeverity, scanActionSchema, scanSeverities } from '../scan.ts';

/**
 * Hosts of widely known installers, whose vendors document `curl … | sh`. The list does not express trust: an operator can
 * replace it.
 */
export const defaultInstallerHosts: readonly string[] = [
  'aka.ms',
  'astral.sh',
  'bun.sh',
  'claude.ai',
  'cli.doppler.com',
  'cli.github.com',
  'deb.nodesource.com',
  'deno.land',
  'dl.google.com',
  'dl.k8s.io',
  'dot.net',
  'download.docker.com',
  'fluxcd.io',
  'fly.io',
  'fnm.vercel.app',
  'get.docker.com',
  'get.helm.sh',
  'get.k3s.io',
  'get.pnpm.io',
  'get.pulumi.com',
  'get.rvm.io',
  'get.sdkman.io',
  'get.volta.sh',
  'install.determinate.systems',
  'install.python-poetry.org',
  'mise.run',
  'nixos.org',
  'ollama.com',
  'packages.microsoft.com',
  'pixi.sh',
  'raw.githubusercontent.com/homebrew',
  'raw.githubusercontent.com/anchore',
  'raw.githubusercontent.com/aquasecurity',
  'raw.githubusercontent.com/helm',
  'raw.githubusercontent.com/kubernetes',
  'raw.githubusercontent.com/nvm-sh',
  'raw.githubusercontent.com/ohmyzsh',
  'rpm.nodesource.com',
  'run.linkerd.io',
  'sdk.cloud.google.com',
  'sh.rustup.rs',
  'starship.rs',
  'tailscale.com',
];

const action = (severity: ScanSeverity, byDefault: ScanAction) =>
  scanActionSchema.default(byDefault).describe(`Action on text whose worst finding has severity ${severity}.`);

/** `policy.contentScan`. */
export const contentScanSchema = z
  .strictObject({
    critical: action('critical', 'block'),
    high: action('high', 'block'),
    medium: action('medium', 'warn'),
    low: action('low', 'warn'),
    installerHosts: z
      .array(z.string().min(1).max(500).toLowerCase())
      .max(1000)
      .default([...defaultInstallerHosts])
      .describe(
        'Hosts, or hosts with a path prefix, whose installers a skill may fetch and run. A subdomain is another host.',
      ),
  })
  .prefault({});
export type ContentScanPolicy = z.infer<typeof contentScanSchema>;

/** `policy.toolChanges`. */
export const toolChangesSchema = z
  .enum(['warn', 'hold'])
  .default('warn')
  .describe(
    'Action on a tool whose definition changed: `warn` keeps it in use; `hold` holds it until an operator approves.',
  );
export type ToolChangesPolicy = z.infer<typeof toolChangesSchema>;

/** The strictest action of the policy for these severities, and `warn` for none. */
export function actionFor(policy: ContentScanPolicy, severities: readonly ScanSeverity[]): ScanAction {
  const actions = scanSeverities
    .filter((severity) => severities.includes(severity))
    .map((severity) => policy[severity]);
  return scanActionSchema.options.find((strictest) => actions.includes(strictest)) ?? 'warn';
}
