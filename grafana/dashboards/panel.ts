/** Common elements of all panels: title, question, unit, size, data sources, links and colours. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  type Threshold as ColourStep,
  DashboardLinkBuilder,
  type DynamicConfigValue,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Threshold } from '../thresholds.ts';
import { type Colour, meaning } from './colour.ts';

/** A panel of a dashboard. */
export type BoardPanel = Builder<Panel>;

/** Grafana units by what is measured. */
export const units = {
  /** Exact, with separators: 2,048 and not 2 K. */
  count: 'locale',
  seconds: 's',
  ratio: 'percentunit',
  bytes: 'bytes',
  callsPerSecond: 'suffix:calls/s',
  requestsPerSecond: 'suffix:requests/s',
  operationsPerSecond: 'suffix:operations/s',
  searchesPerSecond: 'suffix:searches/s',
  resultsPerSecond: 'suffix:results/s',
  itemsPerSecond: 'suffix:items/s',
  /** Unix time in milliseconds, drawn as the time since then. */
  since: 'dateTimeFromNow',
} as const;
export type Unit = (typeof units)[keyof typeof units];

/** The texts of a panel. `description` begins with the question that the panel answers. */
export interface PanelText {
  title: string;
  description: string;
}

/** The size of a panel: width in 24 columns, height in grid rows. */
export interface PanelSize {
  width: number;
  height: number;
}

/** The data sources, selected by variables of the dashboard. */
export const dataSources = {
  prometheus: { type: 'prometheus', uid: '${datasource}' },
  loki: { type: 'loki', uid: '${loki}' },
  tempo: { type: 'tempo', uid: '${tempo}' },
} as const satisfies Record<string, DataSourceRef>;

/** Colours by lower bound, ascending. The first applies to all lower values. */
export function steps(first: Colour, ...others: readonly { from: number; colour: Colour }[]): ThresholdsConfigBuilder {
  const below: ColourStep = { value: null, color: first };
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([below, ...others.map(({ from, colour }) => ({ value: from, color: colour }))]);
}

/** Good at 0, bad above. For what must never happen. */
export function mustBeZero(): ThresholdsConfigBuilder {
  return steps(meaning.good, { from: smallestCount, colour: meaning.bad });
}

/** Less than one, because `increase` extrapolates and one event may show as slightly less. */
const smallestCount = 0.5;

/** Good, suspect from half of the threshold, bad above it. The colour is bad exactly where an alert fires. */
export function limit({ above }: Threshold): ThresholdsConfigBuilder {
  return steps(meaning.good, { from: above / 2, colour: meaning.suspect }, { from: above, colour: meaning.bad });
}

/** A fixed colour for a field, as an override. */
export function fixedColour(colour: Colour): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}

/** The query part of a link to another dashboard that keeps the time range, the selected deployments and hubs. */
export const keptSelection = '${__url_time_range}&${job:queryparam}&${instance:queryparam}&${drills:queryparam}';

/** The query part that keeps the time range only. */
export const keptRange = '${__url_time_range}';

/** A link to any address. */
export function linkTo(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).url(url);
}

/** A link to another dashboard that keeps the time range and the selection, and sets `variables`. */
export function boardLink(
  title: string,
  uid: string,
  variables: Readonly<Record<string, string>> = {},
): DashboardLinkBuilder {
  const set = Object.entries(variables).map(([name, value]) => `&var-${name}=${value}`);
  return new DashboardLinkBuilder(title).url(`/d/${uid}?${keptSelection}${set.join('')}`);
}
