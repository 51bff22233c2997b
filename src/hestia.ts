#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
/**
 * The command line's entry: gives the commands their surroundings and takes their exit code. `serve` hands the process
 * over to `main.ts`, so that a hub is the same however it is started.
 */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './cli/command-line.ts';
import { ConfigurationError, clientDefaults, version } from './config.ts';

const hubFile = new URL('./main.ts', import.meta.url);
const interruption = new AbortController();
/** One Ctrl-C may arrive twice, from the terminal and from npm, which hands it on. */
const sameInterruptionMs = 1000;
let interruptedAt: number | undefined;

/** The first one lets the command undo what it made; a second one, by a person who does not want to wait, ends it at once. */
function interrupt(): void {
  if (interruptedAt !== undefined && performance.now() - interruptedAt > sameInterruptionMs) process.exit(130);
  interruptedAt ??= performance.now();
  interruption.abort();
}

// `hestia audit export | head` ends the pipe early; that is no failure.
process.stdout.on('error', () => process.exit(0));
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    defaults: clientDefaults({ environment: process.env, workingDirectory: process.cwd() }),
    environment: process.env,
    hubFile: fileURLToPath(hubFile),
    version,
    signal: interruption.signal,
    serve,
  });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`hestia: ${error.message}\n`);
  process.exitCode = 2;
}

/** `main.ts` runs when it is imported, and has its own answer to signals. */
async function serve(): Promise<void> {
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
  await import('./main.ts');
}
