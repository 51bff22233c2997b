/** What all panels of the boards share: a question, a unit, a size, data sources, links, colours. Knows no metric. */
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

/** A panel ready for a board. */
export type BoardPanel = Builder<Panel>;

/** Units of Grafana that the boards use, by what is measured. */
export const units = {
  count: 'short',
  seconds: 's',
  ratio: 'percentunit',
  bytes: 'bytes',
  perSecond: 'cps',
  bytesPerSecond: 'Bps',
} as const;
export type Unit = (typeof units)[keyof typeof units];

/** What each panel says of itself. `description` begins with the question that the panel answers. */
export interface PanelText {
  title: string;
  description: string;
}

/** Width in columns of 24, height in rows of the grid. */
export interface PanelSize {
  width: number;
  height: number;
}

/** The data sources, chosen by the variables of each board. */
export const dataSources = {
  prometheus: { type: 'prometheus', uid: '${datasource}' },
  loki: { type: 'loki', uid: '${loki}' },
  tempo: { type: 'tempo', uid: '${tempo}' },
} as const satisfies Record<string, DataSourceRef>;

/** From which value on which colour holds; the first holds below. Ascending. */
export function steps(first: Colour, ...others: readonly { from: number; colour: Colour }[]): ThresholdsConfigBuilder {
  const below: ColourStep = { value: null, color: first };
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([below, ...others.map(({ from, colour }) => ({ value: from, color: colour }))]);
}

/** Good at 0, bad above: for what must never happen. */
export function mustBeZero(): ThresholdsConfigBuilder {
  return steps(meaning.good, { from: smallestCount, colour: meaning.bad });
}

/** Increases are extrapolated, so that one event may show as a little less than one. */
const smallestCount = 0.5;

/** Good, from half of a threshold on suspect, bad above it: where an alert fires is where the colour turns. */
export function limit({ above }: Threshold): ThresholdsConfigBuilder {
  return steps(meaning.good, { from: above / 2, colour: meaning.suspect }, { from: above, colour: meaning.bad });
}

/** A fixed colour for a field, as an override. */
export function fixedColour(colour: Colour): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}

/** A link to another board that keeps the time shown and the chosen hubs; `variables` sets others there. */
export function boardLink(
  title: string,
  uid: string,
  variables: Readonly<Record<string, string>> = {},
): DashboardLinkBuilder {
  const set = Object.entries(variables).map(([name, value]) => `&var-${name}=${value}`);
  return new DashboardLinkBuilder(title).url(`/d/${uid}?\${__url_time_range}&\${instance:queryparam}${set.join('')}`);
}
