/**
 * A dashboard as a page, drawn from its JSON as Grafana lays it out: the grid, titles, units, thresholds, tables, legends and,
 * with uPlot, which Grafana draws with too, the charts.
 */
import { readFileSync } from 'node:fs';
import MarkdownIt from 'markdown-it';
import { z } from 'zod';
import type { ReadBoard, ReadPanel } from '../queries/board.ts';
import { colourOf } from './panel-colour.ts';
import type { PanelData } from './panel-data.ts';
import { valueText } from './unit-text.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const uplot = '../../../node_modules/uplot/dist/';
const script = `${read(`${uplot}uPlot.iife.min.js`)}\n${read('draw-charts.js')}`;
const style = `${read(`${uplot}uPlot.min.css`)}\n${read('board-page.css')}`;

/** The height of a row of the grid and the gap between panels, in pixels. */
const rowHeight = 30;
const gap = 8;

/** The page of a dashboard with the data of its panels. `width` is that of the content beside Grafana's menu. */
export function boardPage(board: ReadBoard, data: readonly PanelData[], width: number): string {
  const column = (width + gap) / 24;
  const panels = data.map((one) => {
    const { x, y, w, h } = one.panel.gridPos;
    const place = `left:${x * column}px;top:${y * (rowHeight + gap)}px;width:${w * column - gap}px;height:${h * (rowHeight + gap) - gap}px`;
    return `<section data-type="${one.panel.type}" data-title="${escaped(one.panel.title)}" style="${place}">${panelHtml(one)}</section>`;
  });
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const main = `<main style="width:${width}px;height:${bottom * (rowHeight + gap)}px">${panels.join('\n')}</main>`;
  return `<!doctype html><meta charset="utf-8"><title>${escaped(board.title)}</title><style>${style}</style>
<h1>${escaped(board.title)}</h1>${main}<script>${script}</script>`;
}

function panelHtml(data: PanelData): string {
  const { panel } = data;
  if (panel.type === 'row') return `<h2>${escaped(panel.title)}</h2>`;
  if (panel.type === 'text') return new MarkdownIt().render(String(panel.options?.content ?? ''));
  const info = panel.description === undefined ? '' : '<i>i</i>';
  return `<header><span class="title">${escaped(panel.title)}</span>${info}</header><div class="body">${bodyHtml(data)}</div>`;
}

function bodyHtml(data: PanelData): string {
  const { panel } = data;
  if (panel.datasource?.type !== 'prometheus') {
    return `<p class="elsewhere">${escaped(headingsOf(panel).join(' | ') || 'log lines')}</p>`;
  }
  const isEmpty = data.series.length === 0 && data.rows.length === 0;
  if (isEmpty) return `<p class="none">${escaped(panel.fieldConfig?.defaults.noValue ?? 'No data')}</p>`;
  switch (panel.type) {
    case 'stat':
      return `<div class="stats">${data.series.map(({ name, values }) => statHtml(panel, name, values[0] ?? 0, data.series.length)).join('')}</div>`;
    case 'bargauge':
      return rankingHtml(data);
    case 'table':
      return tableHtml(data);
    default:
      return chartHtml(data);
  }
}

function statHtml(panel: ReadPanel, name: string, value: number, count: number): string {
  const word = mapped(panel, String(value));
  const { unit, decimals } = panel.fieldConfig?.defaults ?? {};
  const colour = word?.color ?? thresholdColour(panel, value);
  const label = count > 1 ? `<small>${escaped(name)}</small>` : '';
  const text = word?.text ?? valueText(value, unit, decimals);
  return `<div style="background:${colourOf(colour)}">${label}<b class="value">${escaped(text)}</b></div>`;
}

function rankingHtml({ panel, series }: PanelData): string {
  const sorted = series.toSorted((one, other) => (other.values[0] ?? 0) - (one.values[0] ?? 0));
  const most = Math.max(...series.map(({ values }) => values[0] ?? 0));
  const bars = sorted.map(({ name, values: [value] }) => {
    const share = most === 0 ? 0 : ((value ?? 0) / most) * 100;
    return `<div class="bar"><span>${escaped(name)}</span><u style="width:${share / 2}%"></u><b>${escaped(valueText(value ?? 0, panel.fieldConfig?.defaults.unit))}</b></div>`;
  });
  return bars.join('');
}

function tableHtml({ panel, rows }: PanelData): string {
  const headings = headingsOf(panel).filter((heading) => property(panel, heading, 'custom.hidden') !== true);
  const [sort] = z.array(sortSchema).parse(panel.options?.sortBy ?? []);
  const column = sort?.displayName ?? '';
  const sorted = rows.toSorted((one, other) => compared(one[column], other[column], sort?.desc === true));
  const columns = headings.map((heading) => {
    const width = property(panel, heading, 'custom.width');
    return `<col style="${typeof width === 'number' ? `width:${width}px` : ''}">`;
  });
  const head = headings.map((heading) => `<th>${escaped(heading)}</th>`).join('');
  const body = sorted.map(
    (row) => `<tr>${headings.map((heading) => cellHtml(panel, heading, row[heading])).join('')}</tr>`,
  );
  return `<table><colgroup>${columns.join('')}</colgroup><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

const sortSchema = z.object({ displayName: z.string(), desc: z.boolean() });
const organizeSchema = z.object({
  indexByName: z.record(z.string(), z.number()),
  renameByName: z.record(z.string(), z.string()),
});

/** The headings of a table, in the order of its columns; of log lines none. */
function headingsOf({ transformations }: ReadPanel): string[] {
  const organize = transformations.find(({ id }) => id === 'organize');
  if (organize === undefined) return [];
  const { indexByName, renameByName } = organizeSchema.parse(organize.options);
  const names = Object.keys(indexByName).toSorted((one, other) => (indexByName[one] ?? 0) - (indexByName[other] ?? 0));
  return [...new Set(names.map((name) => renameByName[name] ?? name))];
}

function cellHtml(panel: ReadPanel, heading: string, value: string | number | undefined): string {
  if (value === undefined)
    return `<td>${escaped(String(property(panel, '.*', 'noValue') ?? panel.fieldConfig?.defaults.noValue ?? ''))}</td>`;
  const unit = property(panel, heading, 'unit');
  const text = typeof value === 'number' ? valueText(value, String(unit ?? ''), 0) : value;
  const colour = mapped(panel, text)?.color;
  const linked = property(panel, heading, 'links') === undefined ? escaped(text) : `<a>${escaped(text)}</a>`;
  return `<td${colour === undefined ? '' : ` style="background:${colourOf(colour)}"`}>${linked}</td>`;
}

/** Ascending or descending; an empty cell is last. */
function compared(one: string | number | undefined, other: string | number | undefined, isDescending: boolean): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  const order =
    typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other));
  return isDescending ? -order : order;
}

function chartHtml({ panel, times, series }: PanelData): string {
  const defaults = panel.fieldConfig?.defaults ?? {};
  const stacking = defaults.custom?.stacking;
  const isStacked =
    typeof stacking === 'object' && stacking !== null && 'mode' in stacking && stacking.mode === 'normal';
  const legend = typeof panel.options?.legend === 'object' && panel.options.legend !== null ? panel.options.legend : {};
  const isBeside = 'placement' in legend && legend.placement === 'right';
  const lines = series.map(({ name, values }, at) => ({
    name,
    values,
    colour: colourOf(seriesColour(panel, name), at),
  }));
  const chart = {
    times,
    lines,
    isStacked,
    style: defaults.custom?.drawStyle,
    max: defaults.max ?? null,
    softMax: defaults.custom?.axisSoftMax ?? null,
    unit: defaults.unit ?? '',
  };
  // Grafana draws the buckets of a heatmap as cells, which the page does not.
  const items = (panel.type === 'heatmap' ? [] : lines).map(({ name, colour, values }) => {
    const peak = Math.max(0, ...values.filter((value) => value !== null));
    return `<li><u style="background:${colour}"></u><span>${escaped(name)}</span>${isBeside ? `<b>${escaped(valueText(peak, defaults.unit))}</b>` : ''}</li>`;
  });
  return `<div class="chart ${isBeside ? 'beside' : 'below'}"><div class="plot" data-chart="${escaped(JSON.stringify(chart))}"></div><ul>${items.join('')}</ul></div>`;
}

function seriesColour(panel: ReadPanel, name: string): string | undefined {
  const own = (panel.fieldConfig?.overrides ?? []).findLast(({ matcher: { id, options } }) => {
    const text = String(options);
    return id === 'byRegexp' ? new RegExp(text.replace(/^\/|\/$/g, '')).test(name) : text === name;
  });
  const value = own?.properties.find(({ id }) => id === 'color')?.value;
  return typeof value === 'object' && value !== null && 'fixedColor' in value ? String(value.fixedColor) : undefined;
}

function property(panel: ReadPanel, heading: string, id: string): unknown {
  return panel.fieldConfig?.overrides
    .filter(({ matcher }) => matcher.options === heading)
    .flatMap(({ properties }) => properties)
    .findLast((one) => one.id === id)?.value;
}

function mapped(panel: ReadPanel, text: string): { text?: string | undefined; color?: string | undefined } | undefined {
  return panel.fieldConfig?.defaults.mappings?.map(({ options }) => options[text]).find((one) => one !== undefined);
}

function thresholdColour(panel: ReadPanel, value: number): string {
  const steps = panel.fieldConfig?.defaults.thresholds?.steps ?? [];
  return steps.findLast((step) => step.value === null || step.value <= value)?.color ?? 'text';
}

/** Text in HTML, also as the value of an attribute. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
