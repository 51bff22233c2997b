/** Policy for scanned content and for changed tool definitions: keys of `policy` in the configuration. */
import { z } from 'zod';
import { isInFile, type ScanAction, type ScanFinding, type ScanSeverity, scanActionSchema } from '../scan.ts';

/**
 * Hosts of widely known installers, whose vendors document `curl … | sh`. The list does not express trust: an operator can
 * replace it.
 */
export const defaultInstallerHosts: readonly string[] = [
  'aider.chat',
  'aka.ms',
  'ampcode.com',
  'antigravity.google',
  'app.factory.ai',
  'aspire.dev',
  'astral.sh',
  'astro.build',
  'awscli.amazonaws.com',
  'bun.sh',
  'chocolatey.org',
  'claude.ai',
  'cli-assets.heroku.com',
  'cli.doppler.com',
  'cli.github.com',
  'cli.sentry.dev',
  'clis.cloud.ibm.com',
  'code-server.dev',
  'community.chocolatey.org',
  'convex.dev',
  'cursor.com',
  'ddev.com',
  'deb.nodesource.com',
  'deno.land',
  'developer.fermyon.com',
  'devenv.sh',
  'dl.cloudsmith.io/public/mull-project',
  'dl.dagger.io',
  'dl.google.com',
  'dl.k8s.io',
  'dot.net',
  'dotenvx.com',
  'download.docker.com',
  'encore.dev',
  'fluxcd.io',
  'fly.io',
  'fnm.vercel.app',
  'foundry.paradigm.xyz',
  'ftp.ncbi.nlm.nih.gov',
  'get-ghcup.haskell.org',
  'get.anchore.io',
  'get.containerlab.dev',
  'get.docker.com',
  'get.helm.sh',
  'get.jetify.com',
  'get.k0s.sh',
  'get.k3s.io',
  'get.modular.com',
  'get.nextflow.io',
  'get.opentofu.org',
  'get.please.build',
  'get.pnpm.io',
  'get.pulumi.com',
  'get.rke2.io',
  'get.rvm.io',
  'get.scoop.sh',
  'get.sdkman.io',
  'get.trunk.io',
  'get.tur.so',
  'get.volta.sh',
  'get.wasmer.io',
  'gh.io',
  'github.com/astral-sh',
  'github.com/cert-manager',
  'github.com/conda-forge',
  'github.com/docker',
  'github.com/j178',
  'github.com/kubernetes',
  'heroku.com',
  'install.determinate.systems',
  'install.duckdb.org',
  'install.julialang.org',
  'install.lando.dev',
  'install.meteor.com',
  'install.python-poetry.org',
  'install.solana.com',
  'just.systems',
  'micro.mamba.pm',
  'mise.jdx.dev',
  'mise.run',
  'modal.com',
  'moonrepo.dev',
  'neon.com',
  'neon.tech',
  'nextdns.io',
  'nixos.org',
  'ohmyposh.dev',
  'ollama.com',
  'opencode.ai',
  'packages.buildkite.com',
  'packages.microsoft.com',
  'pdm-project.org',
  'pixi.sh',
  'pkgx.sh',
  'pyenv.run',
  'railway.com',
  'raw.githubusercontent.com/anchore',
  'raw.githubusercontent.com/aquasecurity',
  'raw.githubusercontent.com/argoproj',
  'raw.githubusercontent.com/astral-sh',
  'raw.githubusercontent.com/cloudflare',
  'raw.githubusercontent.com/conda-forge',
  'raw.githubusercontent.com/dapr',
  'raw.githubusercontent.com/docker',
  'raw.githubusercontent.com/fermyon',
  'raw.githubusercontent.com/golangci',
  'raw.githubusercontent.com/helm',
  'raw.githubusercontent.com/homebrew',
  'raw.githubusercontent.com/infracost',
  'raw.githubusercontent.com/istio',
  'raw.githubusercontent.com/junegunn',
  'raw.githubusercontent.com/k3d-io',
  'raw.githubusercontent.com/kubernetes',
  'raw.githubusercontent.com/kubernetes-sigs',
  'raw.githubusercontent.com/microsoft',
  'raw.githubusercontent.com/nvm-sh',
  'raw.githubusercontent.com/ohmyzsh',
  'raw.githubusercontent.com/ollama',
  'raw.githubusercontent.com/pnpm',
  'raw.githubusercontent.com/projectcalico',
  'raw.githubusercontent.com/pyenv',
  'raw.githubusercontent.com/rancher',
  'raw.githubusercontent.com/render-oss',
  'raw.githubusercontent.com/rust-lang',
  'raw.githubusercontent.com/rustwasm',
  'raw.githubusercontent.com/scoopinstaller',
  'raw.githubusercontent.com/securego',
  'raw.githubusercontent.com/terraform-linters',
  'raw.githubusercontent.com/tj',
  'raw.githubusercontent.com/trufflesecurity',
  'release.anza.xyz',
  'release.solana.com',
  'releases.hashicorp.com',
  'repo.anaconda.com',
  'rpm.nodesource.com',
  'run.linkerd.io',
  'rye.astral.sh',
  'sdk.cloud.google.com',
  'semgrep.dev',
  'sentry.io',
  'setup.atuin.sh',
  'sh.rustup.rs',
  'starship.rs',
  'supabase.com',
  'tailscale.com',
  'temporal.download',
  'wasmtime.dev',
  'windsurf.com',
  'zed.dev',
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
    files: scanActionSchema
      .default('quarantine')
      .describe(
        'The strictest action on findings in the files beside SKILL.md, which an agent may never read. A finding in SKILL.md has the action of its severity.',
      ),
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

/** The strictest action of the policy for these findings, and `warn` for none. */
export function actionFor(policy: ContentScanPolicy, findings: readonly ScanFinding[]): ScanAction {
  const actions = findings.map((finding) => {
    const bySeverity = policy[finding.severity];
    return isInFile(finding) ? mildest(bySeverity, policy.files) : bySeverity;
  });
  return strictestFirst.find((strictest) => actions.includes(strictest)) ?? 'warn';
}

const strictestFirst = scanActionSchema.options;

function mildest(one: ScanAction, other: ScanAction): ScanAction {
  return strictestFirst.findLast((action) => action === one || action === other) ?? one;
}
