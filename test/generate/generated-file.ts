/** Files that are made from the code and committed: what they hold, writing them, and telling which are out of date. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { boardFiles } from '../../grafana/dashboards/boards.ts';
import { alertRules } from '../../grafana/rules/alert-rules.ts';
import { recordingRules } from '../../grafana/rules/recording-rules.ts';
import { ruleFile } from '../../grafana/rules/rule.ts';
import { version } from '../../src/config.ts';
import { clientSetups } from '../../src/console/client-setups.ts';
import { openApiDocument } from '../../src/http/app.ts';
import { configurationFileSchema } from '../../src/shapes/configuration/config.ts';
import { type BenchRun, barsPlot, figuresPage, growthPlot, runSchema } from '../bench/report.ts';
import { type EvalSummary, plotOf, summarySchema } from '../eval/search-eval-report.ts';
import { startTestHub } from '../support/hub/hub.ts';
import { withSourceTree } from './architecture-tree.ts';
import { chartCopies } from './chart/copies.ts';
import { chartValuesSchema } from './chart/values-schema.ts';
import { clientPagePath, withConfiguration } from './client-pages.ts';
import { referencePage } from './reference/page.ts';
import { runbookPage } from './runbook-page.ts';
import { scanRulePage } from './scan-rule-table.ts';
import { withSearchFigures } from './search-figures.ts';
import { vectorKernelFile } from './vector-kernel.ts';

const root = new URL('../../', import.meta.url);
const sourceFolder = fileURLToPath(new URL('src', root));

/** `path` is relative to the repository's root; `content` is made anew by each call. */
export interface GeneratedFile {
  path: string;
  content(): Promise<string>;
}

const generatedNote = 'Made from the TypeScript beside it by `npm run generate`; changes here are lost.';

/** What Prometheus and Grafana read. The chart has copies of these files. */
const rulesAndBoards: readonly GeneratedFile[] = [
  {
    path: 'grafana/rules/recording.yaml',
    content: async () => ruleFile(generatedNote, recordingRules({ timeScale: 1 })),
  },
  {
    path: 'grafana/rules/alerts.yaml',
    content: async () => ruleFile(generatedNote, alertRules({ timeScale: 1 })),
  },
  ...boardFiles().map(({ path, board }) => ({ path, content: async () => json(board) })),
];

/** Files written by hand that repeat the version of package.json, which follows each match of `before` in them. */
const versionCopies: readonly { path: string; before: RegExp }[] = [
  { path: 'chart/Chart.yaml', before: /^((?:version|appVersion): )\S+$/gm },
  { path: 'docs/operate.md', before: /(registry\.example\/hestia:)[^ \n]+/g },
  { path: 'docker-compose.yml', before: /^( +image: hestia:)\S+$/gm },
];

/** All of them. */
export const generatedFiles: readonly GeneratedFile[] = [
  {
    path: 'docs/hestia.config.schema.json',
    content: async () => json(z.toJSONSchema(configurationFileSchema, { io: 'input' })),
  },
  ...rulesAndBoards,
  ...chartCopies([...rulesAndBoards, { path: 'otel-collector.yaml', content: () => readText('otel-collector.yaml') }]),
  ...versionCopies.map(({ path, before }) => ({
    path,
    content: async () => (await readText(path)).replaceAll(before, `$1${version}`),
  })),
  { path: 'chart/values.schema.json', content: async () => json(chartValuesSchema()) },
  { path: 'src/search-index/vectors/kernel.ts', content: async () => vectorKernelFile() },
  {
    path: 'ARCHITECTURE.md',
    content: async () => withSourceTree(await readText('ARCHITECTURE.md'), sourceFolder),
  },
  { path: 'grafana/runbook.html', content: async () => runbookPage(await readText('grafana/runbook.md')) },
  { path: 'docs/scan-rules.md', content: async () => scanRulePage() },
  {
    path: 'docs/openapi.json',
    content: async () => {
      await using hub = await startTestHub();
      return json(openApiDocument(hub.hub.app, version));
    },
  },
  { path: 'docs/reference.md', content: async () => referencePage(JSON.parse(await readText('docs/openapi.json'))) },
  { path: 'docs/performance-figures.md', content: async () => figuresPage(await benchRun()) },
  { path: 'docs/performance-bars.svg', content: async () => barsPlot(await benchRun()) },
  { path: 'docs/performance-growth.svg', content: async () => growthPlot(await benchRun()) },
  ...clientSetups.map((setup) => ({
    path: clientPagePath(setup),
    content: async () => withConfiguration(await readText(clientPagePath(setup)), setup),
  })),
  {
    path: 'docs/search.md',
    content: async () => withSearchFigures(await readText('docs/search.md'), await searchSummary()),
  },
  { path: 'docs/search-hit-at-1.svg', content: async () => plotOf(await searchSummary()) },
  ...boardFiles().map(({ path, board }) => ({ path, content: async () => json(board) })),
];

/** The full run whose figures are committed. */
async function benchRun(): Promise<BenchRun> {
  return runSchema.parse(JSON.parse(await readText('docs/performance.json')));
}

/** The evaluation of search whose figures are committed. */
async function searchSummary(): Promise<EvalSummary> {
  return summarySchema.parse(JSON.parse(await readText('docs/search-figures.json')));
}

/** A file of the repository. */
function readText(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8');
}

/** Writes the files below a folder, and gives their paths. May be repeated. */
export async function writeFiles(files: readonly GeneratedFile[], folder: string): Promise<string[]> {
  for (const { path, content } of files) {
    const location = join(folder, path);
    await mkdir(dirname(location), { recursive: true });
    await writeFile(location, await content());
  }
  return files.map(({ path }) => path);
}

/** The paths of those files that are absent below a folder, or differ from what the code says. */
export async function outdatedFiles(files: readonly GeneratedFile[], folder: string): Promise<string[]> {
  const outdated: string[] = [];
  for (const { path, content } of files) {
    const onDisk = await readFile(join(folder, path), 'utf8').catch(() => undefined);
    if (onDisk !== (await content())) outdated.push(path);
  }
  return outdated;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
