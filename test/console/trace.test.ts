/** The waterfall of a trace: which rows it has, how they are indented, and where their bars are. */
import { expect, test } from 'vitest';
import { waterfall } from '../../src/console/trace.ts';
import { hostileText } from '../support/hostile-text.ts';

const span = (spanId: string, parentSpanId: string | undefined, startedAt: number, durationMs: number) => ({
  spanId,
  parentSpanId,
  name: `span ${spanId}`,
  startedAt,
  durationMs,
  hasFailed: spanId === 'c',
  attributes: [['note', hostileText]] as const,
});

test('a trace has a row for each span, indented below its parent, with a bar in the time of the trace', async () => {
  const text = String(
    await waterfall([span('a', 'remote', 1000, 100), span('b', 'a', 1010, 50), span('c', 'b', 1090, 10)]),
  );
  expect([...text.matchAll(/class="depth-(\d)"/g)].map(([, depth]) => depth)).toEqual(['0', '1', '2']);
  expect([...text.matchAll(/x="([\d.]+)" width="([\d.]+)"/g)].map(([, x, width]) => [x, width])).toEqual([
    ['0.0', '1000.0'],
    ['100.0', '500.0'],
    ['900.0', '100.0'],
  ]);
  expect(text.match(/failed/g)).toHaveLength(1);
  expect(text).not.toContain('<img');
});

test('a child whose clock is ahead of its parent stands below it', async () => {
  const text = String(
    await waterfall([span('b', 'a', 999.8, 50), span('a', undefined, 1000, 100), span('d', 'b', 1001, 1)]),
  );
  expect([...text.matchAll(/>(span \w)/g)].map(([, name]) => name)).toEqual(['span a', 'span b', 'span d']);
});

test('spans that are each other parents end the indentation', async () => {
  const text = String(await waterfall([span('a', 'b', 0, 1), span('b', 'a', 0, 1)]));
  expect(text.match(/class="depth-8"/g)).toHaveLength(2);
});

test('a trace that is no longer kept says where it is', async () => {
  expect(String(await waterfall([]))).toContain('The hub no longer has the spans of this trace:');
});

test('a hub that makes no spans says which setting does that', async () => {
  expect(String(await waterfall(undefined))).toContain('<code>OTEL_SDK_DISABLED</code> is true');
});
