/** Runs the official conformance suite of MCP, and compares what fails with the table in docs/conformance.md. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The revisions of the protocol whose requirements the suite has. */
export const revisions = ['2025-11-25', '2026-07-28'] as const;

/** A revision of the protocol. */
export type Revision = (typeof revisions)[number];

/** The result of one scenario. */
export interface ScenarioResult {
  scenario: string;
  passedCount: number;
  /** What the suite says about failed checks and warnings; empty if the scenario is passed. */
  failures: string[];
}

interface Check {
  id: string;
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  description: string;
  errorMessage?: string;
}

const packageFolder = new URL('../../node_modules/@modelcontextprotocol/conformance/', import.meta.url);

/** Milliseconds after which a run of the suite is ended. */
const runMsMax = 240_000;

/** Runs all scenarios that a revision requires of a server, and those that the suite adds to them. */
export function serverResults(url: string, revision: Revision): Promise<ScenarioResult[]> {
  return runSuite(['server', '--url', url, '--requirements', revision]);
}

/** Runs one scenario against a server. */
export function serverResult(url: string, scenario: string, options: string[] = []): Promise<ScenarioResult[]> {
  return runSuite(['server', '--url', url, '--scenario', scenario, ...options]);
}

/** Runs one scenario of a client, which the suite starts as `command` with the URL of its server. */
export function clientResult(
  command: string,
  { scenario, revision, env }: { scenario: string; revision?: Revision; env: Record<string, string> },
): Promise<ScenarioResult[]> {
  const args = ['client', '--command', command, '--scenario', scenario];
  if (revision !== undefined) args.push('--spec-version', revision);
  return runSuite(args, { scenario, env });
}

/** Runs the suite, and reads the files in which it describes what it checked. */
async function runSuite(
  args: readonly string[],
  { scenario, env }: { scenario?: string; env?: Record<string, string> } = {},
): Promise<ScenarioResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-conformance-'));
  try {
    const cli = fileURLToPath(new URL('dist/index.js', packageFolder));
    const child = spawn(process.execPath, [cli, ...args, '--output-dir', folder], {
      env: { ...process.env, ...env },
      timeout: runMsMax,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await new Promise((resolve) => child.once('close', resolve));
    const results = [];
    for await (const file of glob('**/checks.json', { cwd: folder })) {
      const checks: Check[] = JSON.parse(await readFile(join(folder, file), 'utf8'));
      results.push(scenarioResult(scenario ?? scenarioOf(file), checks, output));
    }
    expect(results.length, `the suite ran no scenario: ${output}`).toBeGreaterThan(0);
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The scenario of a file such as `server-tools-list-2026-11-27T23-43-39-064Z/checks.json`. */
function scenarioOf(file: string): string {
  return file.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '');
}

function scenarioResult(scenario: string, checks: readonly Check[], output: string): ScenarioResult {
  const failures = checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    .map(({ id, description, errorMessage }) => `${scenario}: ${id}: ${errorMessage ?? description}`);
  const passedCount = checks.filter(({ status }) => status === 'SUCCESS').length;
  if (/CLIENT (?:TIMED OUT|EXITED WITH ERROR)/.test(output)) failures.push(`${scenario}: ${output}`);
  if (passedCount === 0 && failures.length === 0) failures.push(`${scenario}: nothing was checked`);
  return { scenario, passedCount, failures };
}

/** The scenarios that a revision requires of a client, and those that the suite adds to them. */
export function scenariosOfClients(revision: Revision): string[] {
  const text = readFileSync(new URL(`requirements/${revision}.yaml`, packageFolder), 'utf8');
  const [, list = ''] = /^client:\n((?: {2}- .*\n)+)/m.exec(text) ?? [];
  const added = [...text.matchAll(/- scenario: (\S+)\n\s+leg: client\n\s+reason: (?!extension)/g)];
  return [...list.matchAll(/- (\S+)/g), ...added].map(([, scenario = '']) => scenario);
}

/** What the suite is run against, as the table calls it. */
export type Target = '/mcp' | '/mcp/{server}' | 'client';

/** The scenarios that are not passed, as docs/conformance.md lists them for a target and a revision. */
export function listedExceptions(target: Target | 'control', revision: Revision): string[] {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (.+?) \| (\S+) \| (.+?) \| .+ \|$/gm)];
  return rows.flatMap(([, of = '', at, scenarios = '']) =>
    isOf(of, target) && at === revision
      ? [...scenarios.matchAll(/`(\S+?)`/g)].map(([, scenario = '']) => scenario)
      : [],
  );
}

/** Whether a row of the table is about a target. The control is an endpoint, and has no rows of its own. */
function isOf(cell: string, target: Target | 'control'): boolean {
  return cell === 'all endpoints' ? target !== 'client' : cell.replaceAll('`', '') === target;
}

/** Expects that exactly the listed scenarios fail. The failures of the others are the message. */
export function expectAllButListed(results: readonly ScenarioResult[], listed: readonly string[]): void {
  const isListed = ({ scenario }: ScenarioResult) => listed.some((pattern) => matchesGlob(scenario, pattern));
  const unlisted = results.filter((result) => result.failures.length > 0 && !isListed(result));
  const passing = results.filter((result) => result.failures.length === 0 && isListed(result));
  const name = ({ scenario }: ScenarioResult) => scenario;
  const message = unlisted.flatMap(({ failures }) => failures).join('\n');
  expect({ failing: unlisted.map(name), listedButPassing: passing.map(name) }, message).toEqual({
    failing: [],
    listedButPassing: [],
  });
  const unknown = listed.filter((pattern) => !results.some(({ scenario }) => matchesGlob(scenario, pattern)));
  expect(unknown, 'listed scenarios that the suite does not have').toEqual([]);
}
