/** A trace as a waterfall: one row for each span, with its place in the time of the trace. */
import type { RecentSpan } from '../telemetry/recent-spans.ts';
import { html, type Markup } from './markup.ts';
import { badge, duration, emptyState } from './parts.ts';

/** The width of the time axis, in units of the drawing. */
const axisWidth = 1000;
/** The width of the shortest bar that can be seen. */
const barWidthMin = 4;
/** How many spans are shown: a page is at most 150 kB. */
const rowsMax = 60;
/** How many levels are indented. */
const depthMax = 8;

/**
 * The waterfall of the spans of one trace: each below its parent, siblings in the order of their start. `spans` is undefined where
 * the hub makes none.
 */
export function waterfall(spans: readonly RecentSpan[] | undefined): Markup {
  if (spans === undefined)
    return emptyState(
      html`The hub makes no spans, since <code>OTEL_SDK_DISABLED</code> is true. With <code>OTEL_TRACES_EXPORTER=none</code> it keeps them for this page, and sends none.`,
    );
  if (spans.length === 0)
    return emptyState(
      'The hub no longer has the spans of this trace: it keeps the newest 2,000. A backend of traces has them, if the hub sends them to one.',
    );
  const end = Math.max(...spans.map(({ startedAt, durationMs }) => startedAt + durationMs));
  const start = Math.min(...spans.map(({ startedAt }) => startedAt));
  const scale = axisWidth / Math.max(end - start, 1e-3);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const ordered = belowParents(spans, byId);
  const rows = ordered.slice(0, rowsMax).map((span) => row(span, { depth: depthOf(span, byId), start, scale }));
  const rest = ordered.length - rows.length;
  return html`<ol class="waterfall">${rows}</ol>${rest > 0 && html`<p class="hint">… ${rest} more spans are not shown here.</p>`}`;
}

/** Orders the spans as a tree. A child may start before its parent by the precision of the clock. */
function belowParents(spans: readonly RecentSpan[], byId: ReadonlyMap<string, RecentSpan>): RecentSpan[] {
  const byStart = spans.toSorted((a, b) => a.startedAt - b.startedAt);
  const children = Map.groupBy(byStart, ({ parentSpanId = '' }) => (byId.has(parentSpanId) ? parentSpanId : ''));
  const ordered = new Set<RecentSpan>();
  const open = [...(children.get('') ?? [])].reverse();
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    if (ordered.has(span)) continue;
    ordered.add(span);
    open.push(...(children.get(span.spanId) ?? []).toReversed());
  }
  // Spans that are their own ancestors have no root.
  return [...ordered, ...byStart.filter((span) => !ordered.has(span))];
}

function row(
  { name, durationMs, startedAt, hasFailed, attributes }: RecentSpan,
  { depth, start, scale }: { depth: number; start: number; scale: number },
): Markup {
  const width = Math.max(barWidthMin, durationMs * scale);
  const x = Math.min((startedAt - start) * scale, axisWidth - width);
  return html`<li class="depth-${depth}">
    <details>
      <summary><span class="name">${name}${hasFailed && html` ${badge('failed', 'bad')}`}</span> <span class="hint">${duration(durationMs)}</span>
        <svg viewBox="0 0 ${axisWidth} 10" preserveAspectRatio="none" role="img" aria-label="from ${duration(startedAt - start)}, for ${duration(durationMs)}"><rect x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="10"${hasFailed && html` class="bad"`}></rect></svg>
      </summary>
      <dl class="facts">${attributes.map(([key, value]) => html`<dt>${key}</dt><dd>${value}</dd>`)}</dl>
    </details>
  </li>`;
}

/** How many ancestors of a span are known. */
function depthOf(span: RecentSpan, byId: ReadonlyMap<string, RecentSpan>): number {
  let depth = 0;
  let parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
  while (parent !== undefined && depth < depthMax) {
    depth += 1;
    parent = parent.parentSpanId === undefined ? undefined : byId.get(parent.parentSpanId);
  }
  return depth;
}
