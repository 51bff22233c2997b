/**
 * Measures the content scan on labelled texts: `npm run eval:scan -- --data <directory> [--json] [--disguise] [--hostile]`.
 * The JSON output is one object keyed by file name. The texts are scanned and never executed.
 */
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { readLabelledFiles } from './scan-eval-data.ts';
import { timeHostileTexts } from './scan-eval-hostile.ts';
import { type ScanScore, scoreFile } from './scan-eval-score.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
    disguise: { type: 'boolean', default: false },
    hostile: { type: 'boolean', default: false },
  },
});
if (values.data === undefined) {
  console.error('--data: is missing, must be a directory with *.jsonl.gz files');
  process.exit(2);
}

const files = await readLabelledFiles(values.data);
const bar = new SingleBar({ format: '{bar} {value}/{total} {file}', stream: process.stderr }, Presets.shades_classic);
bar.start(
  files.reduce((sum, { items }) => sum + items.length, 0),
  0,
  { file: '' },
);
const scores: Record<string, ScanScore> = {};
for (const file of files) {
  scores[file.name] = await scoreFile(file, {
    disguised: values.disguise,
    onItem: () => bar.increment(1, { file: file.name }),
  });
}
bar.stop();

if (values.json) console.info(JSON.stringify(scores, null, 2));
else for (const [name, score] of Object.entries(scores)) printScore(name, score);
if (values.hostile && !values.json) {
  for (const { token, timeMs } of (await timeHostileTexts()).slice(0, 5))
    console.info(`hostile ${timeMs.toFixed(1)} ms ${token}`);
}

function printScore(name: string, score: ScanScore): void {
  console.info(`${name}: ${score.malicious} malicious, ${score.benign} benign`);
  console.info(`  recall ${score.recall.toFixed(3)}, over families ${score.recallFamilyMacro.toFixed(3)}`);
  console.info(
    `  benign blocked ${percent(score.falsePositiveRate)}, without security ${percent(score.falsePositiveRateWithoutSecurity)}`,
  );
  console.info(`  time p95 ${score.timeMsP95.toFixed(1)} ms, max ${score.timeMsMax.toFixed(1)} ms of processor`);
  for (const [category, { items, blocked }] of Object.entries(score.byCategory).sort()) {
    console.info(`  ${category.padEnd(26)} ${blocked}/${items}`);
  }
  console.info(`  false positives by rule: ${JSON.stringify(score.falsePositivesByRule)}`);
  for (const [disguise, survived] of Object.entries(score.survival ?? {})) {
    console.info(`  survives ${disguise.padEnd(17)} ${percent(survived)}`);
  }
  console.info(`  missed: ${score.missed.join(' ') || 'none'}`);
  console.info(`  wrongly blocked: ${score.wronglyBlocked.join(' ') || 'none'}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
