/** Parses PromQL with Prometheus' grammar: metrics, labels, and the dimension of a result. */
import { parser } from '@prometheus-io/lezer-promql';
import { collectorUptime } from '../../../grafana/dashboards/collector-metrics.ts';
import { descendants } from './syntax-node.ts';

/** A selector of a query: its metric, and the labels that it or an enclosing expression uses. */
export interface Selector {
  metric: string;
  matchers: { label: string; value: string }[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** A parsed query. */
export interface PromqlQuery {
  text: string;
  root: Node;
}

/** Parses a query. @throws Error with the position of a syntax error */
export function parsePromql(text: string): PromqlQuery {
  const tree = parser.parse(text);
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${text}`);
    },
  });
  return { text, root: tree.topNode };
}

/** The vector selectors. */
export function selectors({ text, root }: PromqlQuery): Selector[] {
  return descendants(root, 'VectorSelector').map((node) => ({
    metric: textOf(text, node.getChild('Identifier')),
    matchers: descendants(node, 'UnquotedLabelMatcher').map((matcher) => ({
      label: textOf(text, matcher.getChild('LabelName')),
      value: textOf(text, matcher.getChild('StringLiteral')).slice(1, -1),
    })),
  }));
}

/** Counters of a query but the uptime of a process, and how each is read: the function over its range, or `offset`, or nothing. */
export function countersRead({ text, root }: PromqlQuery): { metric: string; how: string }[] {
  return descendants(root, 'VectorSelector').flatMap((node) => {
    const metric = textOf(text, node.getChild('Identifier'));
    if (metric === collectorUptime || !/_(total|bucket|count|sum)$|^instance_failure:/.test(metric)) return [];
    const parent = node.parent;
    if (parent?.name === 'OffsetExpr') return [{ metric, how: 'offset' }];
    if (parent?.name !== 'MatrixSelector') return [{ metric, how: 'as it is' }];
    let call = parent.parent;
    while (call !== null && call.name !== 'FunctionCall') call = call.parent;
    return [{ metric, how: textOf(text, call?.getChild('FunctionIdentifier') ?? null) }];
  });
}

/** Labels named outside of selectors: in `by`, `without`, `on`, `ignoring`, `group_left`. */
export function groupedLabels({ text, root }: PromqlQuery): string[] {
  return descendants(root, 'GroupingLabels').flatMap((node) =>
    descendants(node, 'LabelName').map((label) => textOf(text, label)),
  );
}

/** Names of functions and aggregations, outermost first. */
export function operations({ text, root }: PromqlQuery): string[] {
  return [...descendants(root, 'FunctionIdentifier'), ...descendants(root, 'AggregateOp')]
    .sort((one, other) => one.from - other.from)
    .map((node) => textOf(text, node));
}

/** A dimension. `number` is a plain number, compatible with all; `mixed` results from incompatible operands. */
export type Dimension = 'number' | 'count' | 'count/s' | 'seconds' | 'bytes' | 'bytes/s' | 'ratio' | 'mixed';

/**
 * The dimension of the result of a query, from the names of its metrics: `_seconds`, `_bytes` and `_ratio`, otherwise a
 * count; for recorded series, their last part. A rate is per second. A quotient of equal dimensions is a ratio.
 */
export function dimensionOf(query: PromqlQuery): Dimension {
  const expression = query.root.firstChild;
  if (expression === null) throw new Error(`empty: ${query.text}`);
  return dimension(query.text, expression);
}

function dimension(text: string, node: Node): Dimension {
  switch (node.name) {
    case 'NumberDurationLiteral':
      return 'number';
    case 'VectorSelector':
      return dimensionOfMetric(textOf(text, node.getChild('Identifier')));
    case 'AggregateExpr':
      return textOf(text, node.getChild('AggregateOp')) === 'count' ? 'count' : dimension(text, lastArgument(node));
    case 'FunctionCall':
      return dimensionOfCall(text, node);
    case 'BinaryExpr':
      return dimensionOfBinary(text, node);
    default:
      return node.firstChild === null ? 'mixed' : dimension(text, node.firstChild);
  }
}

function dimensionOfCall(text: string, node: Node): Dimension {
  const name = textOf(text, node.getChild('FunctionIdentifier'));
  if (name === 'vector') return 'number';
  if (name === 'time') return 'seconds';
  const inner = /^(clamp|label_replace)/.test(name) ? firstArgument(node) : lastArgument(node);
  if (name === 'histogram_quantile') return dimensionOfBuckets(text, inner);
  const of = dimension(text, inner);
  return name === 'rate' || name === 'irate' || name === 'deriv' ? eachSecond(of) : of;
}

/** The dimension of the bucket bounds, not of the counts. */
function dimensionOfBuckets(text: string, node: Node): Dimension {
  const [selector] = descendants(node, 'VectorSelector');
  const name = textOf(text, selector?.getChild('Identifier') ?? null);
  return dimensionOfMetric(name.replace(/_bucket$/, ''));
}

function dimensionOfBinary(text: string, node: Node): Dimension {
  const [left, right] = [node.firstChild, node.lastChild];
  if (left === null || right === null) throw new Error(`not binary: ${text}`);
  const operator = text.slice(left.to, right.from).match(/[-+*/%^]|[<>=!]=?|and|or|unless/)?.[0] ?? '';
  const [one, other] = [dimension(text, left), dimension(text, right)];
  if (/^([<>]|==|!=|>=|<=|and|unless)/.test(operator)) return one;
  if (operator === '/' && isWindowOf(text, left, right)) return eachSecond(one);
  if (operator === '/') return one === other ? 'ratio' : other === 'number' || other === 'count' ? one : 'mixed';
  if (operator === '*') {
    if (one === 'number' || one === 'ratio') return other;
    return other === 'number' || other === 'count' ? one : 'mixed';
  }
  if (one === 'number') return other;
  return other === 'number' || one === other ? one : 'mixed';
}

/** Whether a divisor is the length, in seconds, of the one window in which the dividend counts: `… [5m] … / (300000 / 1000)`. */
function isWindowOf(text: string, dividend: Node, divisor: Node): boolean {
  const [, milliseconds, seconds] = /^(?:\((\d+) \/ 1000\)|(\d+))$/.exec(text.slice(divisor.from, divisor.to)) ?? [];
  const length = milliseconds === undefined ? Number(seconds) : Number(milliseconds) / 1000;
  const windows = [...text.slice(dividend.from, dividend.to).matchAll(/\[(\d+)([smh])\]/g)];
  const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  return (
    windows.length > 0 && windows.every(([, count, unit = '']) => Number(count) * (unitSeconds[unit] ?? 0) === length)
  );
}

function eachSecond(of: Dimension): Dimension {
  if (of === 'count') return 'count/s';
  if (of === 'seconds') return 'ratio';
  return of === 'bytes' ? 'bytes/s' : 'mixed';
}

function dimensionOfMetric(name: string): Dimension {
  if (name.includes(':')) return dimensionOfRecord(name);
  if (name === 'ALERTS_FOR_STATE') return 'seconds';
  if (name.endsWith('_bucket') || name.endsWith('_count')) return 'count';
  const stem = name.replace(/_(total|sum)$/, '');
  if (stem.endsWith('_seconds')) return 'seconds';
  if (stem.endsWith('_bytes')) return 'bytes';
  return stem.endsWith('_ratio') ? 'ratio' : 'count';
}

/** The dimension of a recorded series, `level:metric:operations`, by its first operation. */
function dimensionOfRecord(name: string): Dimension {
  const [, metric = '', done = ''] = name.split(':');
  if (/^(ratio|budget)_/.test(done)) return 'ratio';
  const of = dimensionOfMetric(metric);
  return done.startsWith('rate') ? eachSecond(of) : of;
}

/** The first argument of a call. */
function firstArgument(node: Node): Node {
  const first = node.getChild('FunctionCallBody')?.firstChild;
  if (first === null || first === undefined) throw new Error('a call without an argument');
  return first.name === '(' && first.nextSibling !== null ? first.nextSibling : first;
}

/** The last argument of a call or an aggregation, which contains the samples. */
function lastArgument(node: Node): Node {
  const last = node.getChild('FunctionCallBody')?.lastChild;
  if (last === null || last === undefined) throw new Error('a call without an argument');
  return last.name === ')' && last.prevSibling !== null ? last.prevSibling : last;
}

function textOf(text: string, node: Node | null): string {
  return node === null ? '' : text.slice(node.from, node.to);
}
