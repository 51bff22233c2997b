/**
 * `npm run bench`: compares the hub with direct calls, with itself unwatched, and with other gateways.
 * The results are ratios within one run. A suite is a file in `suites/` that exports one {@link Suite} and is in the list below;
 * targets of its findings are in bars.ts, by name. The exit code is 0 if everything ran, whatever was found.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Finding } from './findings.ts';
import { runSchema } from './report.ts';
import { type Suite, suiteContext } from './suite.ts';
import { suite as activation } from './suites/activation.ts';
import { suite as callPath } from './suites/call-path.ts';
import { suite as calls } from './suites/calls.ts';
import { suite as collector } from './suites/collector.ts';
import { suite as consolePages } from './suites/console.ts';
import { suite as durability } from './suites/durability.ts';
import { suite as endpoints } from './suites/endpoints.ts';
import { suite as growth } from './suites/growth.ts';
import { suite as journal } from './suites/journal.ts';
import { suite as overload } from './suites/overload.ts';
import { suite as peers } from './suites/peers.ts';
import { suite as scheduler } from './suites/scheduler.ts';
import { suite as search } from './suites/search.ts';
import { suite as signals } from './suites/signals.ts';
import { suite as start } from './suites/start.ts';
import { suite as index } from './suites/tool-index.ts';
import { findingsTable } from './table.ts';

const suites: readonly Suite[] = [
  calls,
  endpoints,
  callPath,
  signals,
  collector,
  durability,
  peers,
  search,
  index,
  activation,
  scheduler,
  journal,
  consolePages,
  growth,
  start,
  overload,
];
const suiteNames = suites.map(({ name }) => name);

interface SuiteResult {
  suite: string;
  /** The day of the measurement, in UTC. */
  at: string;
  findings: Finding[];
}

interface Options {
  quick: boolean;
  only: string[];
  rounds?: number;
  python: string[];
  json?: string;
}

const command = new Command('bench')
  .description('Measures the hub in pairs. The figures are ratios within one run.')
  .option('--quick', 'a short run that only checks that everything works', false)
  .option('--only <suite>', `one of ${suiteNames.join(', ')}; may be repeated`, suiteOption, [])
  .option('--rounds <number>', 'rounds of each measurement', wholeNumber)
  .option(
    '--python <folder>',
    'a Python virtual environment with gateways from PyPI; may be repeated',
    folderOption,
    [],
  )
  .option('--json <file>', 'write the findings to a file; with --only, findings of other suites in it are kept')
  .addHelpText('after', `\nSuites:\n${suites.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}`);

const startedAt = performance.now();
await run(command.parse().opts<Options>());
process.exit();

async function run({ quick, only, rounds, python, json }: Options): Promise<void> {
  const context = suiteContext({
    isQuick: quick,
    rounds,
    python,
    reportProgress,
  });
  const chosen = only.length === 0 ? suites : suites.filter(({ name }) => only.includes(name));
  const results: SuiteResult[] = [];
  for (const suite of chosen) {
    reportProgress(`${suite.name}: ${suite.about}`);
    try {
      const at = new Date().toISOString().slice(0, 10);
      results.push({ suite: suite.name, at, findings: await suite.run(context) });
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${suite.name} failed: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  for (const { suite, findings } of results) process.stdout.write(`\n${suite}\n${findingsTable(findings)}\n`);
  reportProgress('done');
  if (json !== undefined) writeRun(resolve(json), { isQuick: quick, results, keepsOthers: only.length > 0 });
}

/** Writes the findings. A run of some suites keeps the file's findings of the others. */
function writeRun(
  file: string,
  { isQuick, results, keepsOthers }: { isQuick: boolean; results: SuiteResult[]; keepsOthers: boolean },
): void {
  const before = keepsOthers && existsSync(file) ? runSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  const found = new Map((before?.results ?? []).map((result) => [result.suite, result]));
  for (const result of results) found.set(result.suite, result);
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model.trim(), kernel: release() };
  const ordered = suiteNames.flatMap((name) => found.get(name) ?? []);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ quick: isQuick, machine, results: ordered }, null, 2)}\n`);
}

/** Writes progress to standard error, so that standard output contains only the tables. */
function reportProgress(what: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`${String(seconds).padStart(4)} s  ${what}\n`);
}

function suiteOption(name: string, chosen: string[]): string[] {
  if (!suiteNames.includes(name)) throw new InvalidArgumentError(`it is one of ${suiteNames.join(', ')}.`);
  return [...chosen, name];
}

function folderOption(folder: string, chosen: string[]): string[] {
  return [...chosen, resolve(folder)];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('it is a whole number from 1 to 9999.');
  return Number(text);
}
