/** The benchmark report in docs/: tables, and plots of targets and of growth. `npm run generate` writes it. */
import { z } from 'zod';
import type { Finding } from './findings.ts';
import { findingsMarkdown } from './table.ts';

const growthSchema = z.object({ series: z.string(), size: z.number() });

const findingSchema = z.object({
  name: z.string(),
  unit: z.enum(['x', 'ms', 's', 'MiB', 'us', 'per s', 'kB', 'count']),
  value: z.number(),
  quartiles: z.tuple([z.number(), z.number()]).optional(),
  twin: z.number().optional(),
  wanted: z.enum(['at most', 'at least']).optional(),
  bar: z.number().optional(),
  stretch: z.number().optional(),
  verdict: z.enum(['stretch', 'met', 'missed', 'void', 'none']),
  detail: z.string().optional(),
  growth: growthSchema.optional(),
});

/** The file that `npm run bench -- --json` writes. */
export const runSchema = z.object({
  quick: z.boolean(),
  machine: z.object({ node: z.string(), cpus: z.number(), cpu: z.string().optional(), kernel: z.string() }),
  /** Each suite with the day on which it was measured. */
  results: z.array(z.object({ suite: z.string(), at: z.iso.date(), findings: z.array(findingSchema) })),
});
export type BenchRun = z.infer<typeof runSchema>;

/** The tables of all suites, in Markdown. */
export function figuresPage({ machine, results }: BenchRun): string {
  const tables = results.map(
    ({ suite, at, findings }) => `## ${suite}\n\nMeasured on ${at}.\n\n${findingsMarkdown(findings.map(plain))}\n`,
  );
  return [
    '<!-- Generated from performance.json by `npm run generate`; changes here are lost. -->\n',
    '# Performance figures\n',
    `Measured with Node.js ${machine.node} on ${machine.cpus} shared cores. [Performance](performance.md) explains the columns and the method.\n`,
    ...tables,
  ].join('\n');
}

const colours: Record<Finding['verdict'], string> = {
  stretch: '#1f6f43',
  met: '#4f9d69',
  missed: '#b3402a',
  void: '#8a8a8a',
  none: '#8a8a8a',
};

/** The plot of each finding relative to its target, on a logarithmic scale. Left of the line meets the target. */
export function barsPlot({ results }: BenchRun): string {
  const rows = results
    .flatMap(({ findings }) => findings)
    .flatMap((finding) => (finding.bar === undefined ? [] : [{ ...plain(finding), bar: finding.bar }]));
  const [left, width, rowHeight, top] = [470, 880, 22, 56];
  const height = top + rows.length * rowHeight + 24;
  const [least, most] = [1 / 8, 4];
  const x = (share: number) => {
    const at = Math.log(Math.min(most, Math.max(least, share)) / least) / Math.log(most / least);
    return left + at * (width - left - 70);
  };
  const lines = rows.map((row, index) => {
    const y = top + index * rowHeight + rowHeight / 2;
    const share = row.wanted === 'at least' ? row.bar / row.value : row.value / row.bar;
    const sign = row.wanted === 'at least' ? '≥' : '≤';
    return [
      `<text x="${left - 12}" y="${y + 4}" text-anchor="end">${escaped(row.name)}</text>`,
      `<line x1="${x(1)}" x2="${x(share).toFixed(1)}" y1="${y}" y2="${y}" stroke="${colours[row.verdict]}" stroke-width="6"/>`,
      `<circle cx="${x(share).toFixed(1)}" cy="${y}" r="5" fill="${colours[row.verdict]}"/>`,
      `<text x="${width - 60}" y="${y + 4}">${rounded(row.value)} (${sign} ${row.bar})</text>`,
    ].join('');
  });
  const marks = [0.125, 0.25, 0.5, 1, 2, 4].map(
    (mark) =>
      `<line x1="${x(mark)}" x2="${x(mark)}" y1="${top - 6}" y2="${height - 18}" stroke="${mark === 1 ? '#222222' : '#e4e4e4'}"/><text x="${x(mark)}" y="${top - 12}" text-anchor="middle">${mark === 1 ? 'target' : mark}</text>`,
  );
  const title = 'Findings relative to their targets: left of the line is better';
  return svg(width + 40, height, title, [...marks, ...lines]);
}

/** The plot of growth, with one panel for each series. */
export function growthPlot({ results }: BenchRun): string {
  const found = results.flatMap(({ findings }) => findings).filter(({ growth }) => growth !== undefined);
  const series = [...new Set(found.flatMap(({ growth }) => growth?.series ?? []))];
  const [panelWidth, panelHeight, columns] = [300, 190, 3];
  const panels = series.map((name, index) => {
    const points = found.flatMap(({ growth, value, unit }) =>
      growth?.series === name ? [{ size: growth.size, value, unit }] : [],
    );
    const place = `translate(${20 + (index % columns) * panelWidth} ${50 + Math.floor(index / columns) * panelHeight})`;
    return `<g transform="${place}">${panel(name, points, { width: panelWidth - 40, height: panelHeight - 40 })}</g>`;
  });
  const height = 50 + Math.ceil(series.length / columns) * panelHeight;
  return svg(20 + columns * panelWidth, height, 'The cost of growth: medians, one call in flight', panels);
}

function panel(
  name: string,
  points: readonly { size: number; value: number; unit: string }[],
  { width, height }: { width: number; height: number },
): string {
  const sizes = points.map(({ size }) => size);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const highest = Math.max(...points.map(({ value }) => value)) * 1.15;
  const [left, top, bottom] = [44, 22, 20];
  const x = (size: number) => left + (Math.log(size / least) / Math.log(most / least || 2)) * (width - left - 20);
  const y = (value: number) => top + (1 - value / highest) * (height - top - bottom);
  const path = points.map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return [
    `<text x="0" y="10" font-weight="bold">${escaped(name)}</text>`,
    `<line x1="${left}" x2="${width}" y1="${y(0)}" y2="${y(0)}" stroke="#222222"/>`,
    `<polyline points="${path}" fill="none" stroke="#1f6f43" stroke-width="2"/>`,
    ...points.map(
      ({ size, value, unit }) =>
        `<circle cx="${x(size).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="#1f6f43"/><text x="${x(size).toFixed(1)}" y="${(y(value) - 8).toFixed(1)}" text-anchor="middle">${rounded(value)} ${unit}</text><text x="${x(size).toFixed(1)}" y="${y(0) + 15}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
    ),
  ].join('');
}

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    '<!-- Generated from performance.json by `npm run generate`; changes here are lost. -->',
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="20" y="24" font-size="14">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`;
}

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The finding without undefined members. */
function plain(finding: z.infer<typeof findingSchema>): Finding {
  const { name, unit, value, verdict, ...optional } = finding;
  const given = Object.fromEntries(Object.entries(optional).filter(([, member]) => member !== undefined));
  return { name, unit, value, verdict, ...given };
}
