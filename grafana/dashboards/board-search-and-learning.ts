/** Whether agents find what they need, and whether learning from outcomes makes that better. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { attributes, spanNames } from '../../src/telemetry/names.ts';
import { labels, series } from '../prometheus-name.ts';
import { type BoardSection, boardUids, createBoard, hubSpans } from './board.ts';
import { meaning, percentileColours } from './colour.ts';
import { steps, units } from './panel.ts';
import { heatmapPanel, percentileLines, statPanel, timeSeriesPanel } from './panel-chart.ts';
import { tracePanel } from './panel-list.ts';
import { hub, is, overRange, perSecond, quantileOverRange, shareOf } from './promql.ts';

const searches = hub(`${series.searchDuration}_count`);
const searchBuckets = hub(`${series.searchDuration}_bucket`);
const followed = hub(series.searchesFollowed);
const rankSum = hub(`${series.searchReciprocalRank}_sum`);
const rankCount = hub(`${series.searchReciprocalRank}_count`);
const shown = (...matchers: readonly string[]) => hub(series.searchResultsShown, ...matchers);
const moved = shown(is(labels.searchMoved, 'true'));

/** The board of search and learning. */
export function searchAndLearningBoard(): Dashboard {
  return createBoard({
    uid: boardUids.searchAndLearning,
    title: 'Search and learning',
    description: 'Whether agents find the tool they need, and what learning from outcomes changes about that.',
    sections: [inShort(), searching(), quality(), vectors()],
  });
}

function inShort(): BoardSection {
  return {
    title: 'In short',
    panels: [
      statPanel({
        title: 'Searches',
        description: 'How many searches were answered in the time shown?',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(searches), legend: 'searches' }],
      }),
      statPanel({
        title: 'P95 duration',
        description: 'How long did the slowest twentieth of the searches take at least?',
        unit: units.seconds,
        noValue: 'no searches',
        queries: [{ expr: quantileOverRange(0.95, searchBuckets), legend: 'p95' }],
        thresholds: steps(meaning.good, { from: 0.1, colour: meaning.suspect }, { from: 0.5, colour: meaning.bad }),
      }),
      statPanel({
        title: 'Used after a search',
        description: 'Which share of the searches was followed by a call of a tool it had found?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no searches',
        queries: [{ expr: shareOf(overRange(followed), overRange(searches)), legend: 'used' }],
      }),
      statPanel({
        title: 'Mean reciprocal rank',
        description: 'How far up was the tool that was then used? 100 % is always first, 50 % is second on average.',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no tool was used yet',
        queries: [{ expr: shareOf(overRange(rankSum), overRange(rankCount)), legend: 'rank' }],
        thresholds: steps(meaning.bad, { from: 0.4, colour: meaning.suspect }, { from: 0.7, colour: meaning.good }),
      }),
      statPanel({
        title: 'Moved by learning',
        description: 'Which share of the results stood elsewhere than the text alone would have put them?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no results',
        queries: [{ expr: shareOf(overRange(moved), overRange(shown())), legend: 'moved' }],
      }),
      statPanel({
        title: 'Chroma',
        description:
          'Does the vector store answer? Without it, search goes on in the process; with none configured there is nothing to answer.',
        unit: units.count,
        noValue: 'not configured',
        queries: [{ expr: `min(${hub(series.chromaUp)})`, legend: 'chroma' }],
        words: { 0: ['unreachable', meaning.bad], 1: ['reachable', meaning.good] },
      }),
    ],
  };
}

function searching(): BoardSection {
  return {
    title: 'Searching',
    panels: [
      timeSeriesPanel({
        title: 'Searches by source',
        description: 'How often do agents search, and among what?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [{ expr: perSecond(searches, labels.searchSource), legend: `{{${labels.searchSource}}}` }],
      }),
      timeSeriesPanel({
        title: 'Duration, percentiles',
        description: 'Is search quick enough to be the first thing an agent does?',
        unit: units.seconds,
        size: { width: 8 },
        queries: percentileLines(searchBuckets),
        colours: percentileColours,
      }),
      heatmapPanel({
        title: 'Distribution of durations',
        description: 'Are there two kinds of searches, quick and slow?',
        unit: units.seconds,
        size: { width: 8 },
        query: `sum by (le) (increase(${searchBuckets}[$__rate_interval]))`,
        exemplars: false,
      }),
    ],
  };
}

function quality(): BoardSection {
  return {
    title: 'Is what is found the right thing?',
    panels: [
      timeSeriesPanel({
        title: 'Used after a search, by source',
        description: 'Do searches lead to calls? A falling line means that agents do not find what they need.',
        unit: units.ratio,
        max: 1,
        size: { width: 8 },
        noValue: 'no searches',
        queries: [
          {
            expr: shareOf(perSecond(followed, labels.searchSource), perSecond(searches, labels.searchSource)),
            legend: `{{${labels.searchSource}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Mean reciprocal rank, by source',
        description: 'Does the tool that is then used come first? Rising over days is learning at work.',
        unit: units.ratio,
        max: 1,
        size: { width: 8 },
        noValue: 'no tool was used yet',
        queries: [
          {
            expr: shareOf(perSecond(rankSum, labels.searchSource), perSecond(rankCount, labels.searchSource)),
            legend: `{{${labels.searchSource}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Results shown, moved by learning or not',
        description: 'How much of what agents see is in the place that outcomes gave it?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        noValue: 'no results',
        queries: [
          { expr: perSecond(moved), legend: 'moved by learning' },
          { expr: perSecond(shown(is(labels.searchMoved, 'false'))), legend: 'as the text says' },
        ],
        colours: { 'moved by learning': meaning.gone, 'as the text says': meaning.notice },
      }),
    ],
  };
}

function vectors(): BoardSection {
  return {
    title: 'Vectors and evidence',
    panels: [
      timeSeriesPanel({
        title: 'Waiting for Chroma',
        description: 'Does the vector store keep up? What waits is found by its words meanwhile.',
        unit: units.count,
        noValue: 'Chroma is not configured',
        queries: [{ expr: `sum by (instance) (${hub(series.chromaBacklog)})`, legend: '{{instance}}' }],
      }),
      tracePanel({
        title: 'Searches, traces',
        description: 'Where does the time of a search go, and how much did it find? Each row opens its trace.',
        noValue: 'no searches',
        query: `{ ${hubSpans} && name = "${spanNames.toolSearch}" } | select(name, span.${attributes.searchSource}, span.${attributes.searchResults}, span.${attributes.genAiAgentId})`,
        size: { height: 8 },
      }),
    ],
  };
}
