/**
 * The commands of the documents, run as a reader runs them: each works, and prints the sample that follows it but for times,
 * ids and durations. `npm run samples` writes samples anew. Every command is run, or listed with the reason why not.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, documentPaths } from '../support/documents/block.ts';
import { isSampleOf, normalForm, withSamples } from '../support/documents/sample.ts';
import { runTour, type TourResult } from '../support/documents/tour.ts';
import { notRun, tours } from '../support/documents/tours.ts';
import { describeWith } from '../support/programs/requirements.ts';

const languages = ['sh', 'text', 'json', 'toml', 'yaml', 'ini', 'nginx', 'ts', 'promql', 'logql', 'traceql'];
const tourMs = 600_000;

describeWith(['curl', 'jq', 'openssl', 'script'], 'a reader of the documents', () => {
  describe.each(Object.entries(tours))('who does %s', (_name, tour) => {
    let result: TourResult;
    beforeAll(async () => {
      result = await runTour(tour);
    }, tourMs);

    test('needs no command that fails', () => {
      const failed = result.ran.filter(({ sample, printed }) => sample === undefined && printed.exitCode !== 0);
      expect(failed.map(({ block, printed }) => ({ at: `${block.path}:${block.line}`, ...printed }))).toEqual([]);
    });

    test('sees what the samples show', () => {
      for (const { block, sample, printed } of result.ran) {
        if (sample === undefined) continue;
        expect(normalForm(printed.output), `${block.path}:${block.line}`).toBe(normalForm(sample.text));
      }
      for (const { sample, found } of result.lines) {
        const absent = sample.text
          .trimEnd()
          .split('\n')
          .filter((_line, index) => found[index] === undefined);
        expect(absent, `${sample.path}:${sample.line}`).toEqual([]);
      }
    });
  });
});

describe('the commands of the documents', () => {
  const blocks = documentPaths().flatMap((path) => blocksOf(path));
  const beginnings = Object.values(tours).flatMap(({ documents, terminals = [], repeated = [], stoppedBefore = [] }) =>
    [...terminals, ...repeated, ...stoppedBefore].map((begins) => ({ documents, begins })),
  );

  test('are all run, or listed with the reason why not', () => {
    const toured = new Set(Object.values(tours).flatMap(({ documents }) => documents));
    const unlisted = blocks
      .filter(({ language, path }) => language === 'sh' && !toured.has(path))
      .filter(({ path, text }) => !notRun.some((entry) => entry.path === path && text.startsWith(entry.begins)));
    expect(unlisted.map(({ path, line }) => `${path}:${line}`)).toEqual([]);
  });

  test('that are listed exist', () => {
    const isBlock = (path: string, begins: string) =>
      blocks.some((block) => block.path === path && block.language === 'sh' && block.text.startsWith(begins));
    const gone = [
      ...notRun.filter(({ path, begins }) => !isBlock(path, begins)),
      ...beginnings.filter(({ documents, begins }) => !documents.some((path) => isBlock(path, begins))),
    ];
    expect(gone).toEqual([]);
  });

  test('are marked as such: each block names its language', () => {
    const unknown = blocks.filter(({ language }) => !languages.includes(language));
    expect(unknown.map(({ path, line }) => `${path}:${line}`)).toEqual([]);
  });
});

describe('a sample', () => {
  test('may differ from the output in times, ids, bytes and durations, and in nothing else', () => {
    const output = '04:53:00.756 abc818cb  166.5 ms  get-sum {"time":"2026-11-23T10:51:10.185Z","recordsChecked":12}';
    const other = '11:12:13.000 00ff18cb 7.25 ms get-sum {"time":"2026-11-28T00:00:00Z","recordsChecked":12}';
    expect(isSampleOf(other, output)).toBe(true);
    expect(isSampleOf(other.replace('12}', '13}'), output)).toBe(false);
    expect(isSampleOf(other.replace('get-sum', 'get-sun'), output)).toBe(false);
  });

  test('has equal ids where the output has equal ids', () => {
    expect(isSampleOf('12345678 12345678 abcdef01', '23456789 23456789 bcdef012')).toBe(true);
    expect(isSampleOf('12345678 12345678', '23456789 33456789')).toBe(false);
  });

  test('is written anew into its block, and the rest stays', () => {
    const page = 'A\n\n```sh\na\n```\n```text\nold\nold\n```\nB\n';
    expect(withSamples(page, new Map([[6, 'new\n']]))).toBe('A\n\n```sh\na\n```\n```text\nnew\n```\nB\n');
  });
});
