#!/usr/bin/env -S node --disable-sigusr1 --disable-warning=ExperimentalWarning
/**
 * The entry point of the `hestia` command line: runs the command and sets the exit code. `serve` imports `main.ts`, so that
 * a hub runs the same code however it is started.
 */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './cli/command-line.ts';
import { createAsk } from './cli/terminal-question.ts';
import { clientDefaults, configurationSource, loadConfig, version } from './config.ts';
import { ConfigurationError } from './shapes/configuration/configuration-error.ts';

const sources = { environment: process.env, workingDirectory: process.cwd() };
const hubFile = new URL('./main.ts', import.meta.url);
const interruption = new AbortController();
/** One Ctrl-C may arrive twice: from the terminal, and from npm, which forwards it. Signals this close count as one. */
const repeatedSignalMsMax = 1000;
let interruptedAt: number | undefined;

/** The first interruption lets the command clean up; a second one exits at once. */
function interrupt(): void {
  if (interruptedAt !== undefined && performance.now() - interruptedAt > repeatedSignalMsMax) process.exit(130);
  interruptedAt ??= performance.now();
  interruption.abort();
}

// A reader such as `hestia audit export | head` may close the pipe early, which is not an error.
process.stdout.on('error', () => process.exit(0));
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    defaults: clientDefaults(sources),
    configuration,
    skillCheck,
    environment: process.env,
    hubFile: fileURLToPath(hubFile),
    version,
    ask: process.stdin.isTTY && process.stdout.isTTY ? createAsk(process.stdin, process.stdout) : undefined,
    signal: interruption.signal,
    serve,
  });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`hestia: ${error.message}\n`);
  process.exitCode = 2;
}

function configuration(file?: string) {
  const environment = file === undefined ? process.env : { ...process.env, HESTIA_CONFIG: file };
  const chosen = { ...sources, environment };
  return { config: loadConfig(chosen), file: configurationSource(chosen).file };
}

function skillCheck() {
  const { policy, skills } = loadConfig(sources);
  return { policy: policy.contentScan, strict: skills.strict, linkTargets: skills.linkTargets };
}

/** `main.ts` runs when it is imported, and installs its own signal handlers. */
async function serve(): Promise<void> {
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
  await import('./main.ts');
}
