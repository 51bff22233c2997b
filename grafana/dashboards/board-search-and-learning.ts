/** The dashboard Search and learning: search results that agents use, and the effect of learning from outcomes. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { attributes, spanNames } from '../../src/telemetry/names.ts';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { type BoardSection, createBoard, hubSpans } from './board.ts';
import { meaning, percentileColours } from './colour.ts';
import { steps, units } from './panel.ts';
import { heatmapPanel, percentileLines, statPanel, timeSeriesPanel } from './panel-chart.ts';
import { attributeColumn, rootColumn, tracePanel } from './panel-list.ts';
import { hub, is, overInterval, overRange, perSecond, quantileOverRange, shareOf, sumOverRange } from './promql.ts';

const searches = hub(`${series.searchDuration}_count`);
const searchBuckets = hub(`${series.searchDuration}_bucket`);
const followed = hub(series.searchesFollowed);
const rankSum = hub(`${series.searchReciprocalRank}_sum`);
const rankCount = hub(`${series.searchReciprocalRank}_count`);
const shown = (...matchers: readonly string[]) => hub(series.searchResultsShown, ...matchers);
const moved = shown(is(labels.searchMoved, 'true'));

/** The dashboard Search and learning. */
export function searchAndLearningBoard(): Dashboard {
  return createBoard({
    uid: boardUids.searchAndLearning,
    title: 'Search and learning',
    description: 'Do agents find the tool they need, and how does learning from outcomes change what they find?',
    next: [
      ['Do the tools that they find work?', boardUids.tools],
      ['Is anything else wrong?', boardUids.overview],
    ],
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
        description: 'How long did the slowest 5 % of the searches take at least?',
        unit: units.seconds,
        noValue: 'no traffic yet',
        queries: [{ expr: quantileOverRange(0.95, searchBuckets), legend: 'p95' }],
        thresholds: steps(meaning.good, { from: 0.1, colour: meaning.suspect }, { from: 0.5, colour: meaning.bad }),
      }),
      statPanel({
        title: 'Used after a search',
        description: 'Which share of the searches was followed by a call of one of its results?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no traffic yet',
        queries: [{ expr: shareOf(overRange(followed), overRange(searches)), legend: 'used' }],
      }),
      statPanel({
        title: 'Rank of used tools',
        description:
          'How high was the rank of the tool that was then called (mean reciprocal rank)? 100 % is always first, 50 % is second on average.',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no tool was used yet',
        queries: [{ expr: shareOf(sumOverRange(rankSum), sumOverRange(rankCount)), legend: 'rank' }],
        thresholds: steps(meaning.bad, { from: 0.4, colour: meaning.suspect }, { from: 0.7, colour: meaning.good }),
      }),
      statPanel({
        title: 'Moved by learning',
        description: 'Which share of the results has another rank than by text alone?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no traffic yet',
        queries: [{ expr: shareOf(overRange(moved), overRange(shown())), legend: 'moved' }],
      }),
      statPanel({
        title: 'Chroma',
        description:
          'Is the vector store reachable? Without it, search continues in the process. No value if none is configured.',
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
        description: 'How often do agents search, and in which source?',
        unit: units.searchesPerSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [{ expr: perSecond(searches, labels.searchSource), legend: `{{${labels.searchSource}}}` }],
      }),
      timeSeriesPanel({
        title: 'Duration of searches, percentiles',
        description: 'Is search fast enough to be the first step of an agent?',
        unit: units.seconds,
        size: { width: 8 },
        queries: percentileLines(searchBuckets),
        colours: percentileColours,
      }),
      heatmapPanel({
        title: 'Duration of searches, distribution',
        description: 'Are there two groups of searches, fast and slow?',
        unit: units.seconds,
        size: { width: 8 },
        query: overInterval(searchBuckets, 'le'),
        exemplars: false,
      }),
    ],
  };
}

function quality(): BoardSection {
  return {
    title: 'Relevance',
    panels: [
      timeSeriesPanel({
        title: 'Used after a search, by source',
        description: 'Do searches lead to calls? A falling line means that agents do not find what they need.',
        unit: units.ratio,
        max: 1,
        size: { width: 8 },
        noValue: 'no traffic yet',
        queries: [
          {
            expr: shareOf(perSecond(followed, labels.searchSource), perSecond(searches, labels.searchSource)),
            legend: `{{${labels.searchSource}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Rank of used tools, by source',
        description: 'Does the tool that is then called rank first? A rise over days shows the effect of learning.',
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
        description: 'How many of the results have a rank that outcomes changed?',
        unit: units.resultsPerSecond,
        form: 'stacked',
        size: { width: 8 },
        noValue: 'no traffic yet',
        queries: [
          { expr: perSecond(moved), legend: 'moved by learning' },
          { expr: perSecond(shown(is(labels.searchMoved, 'false'))), legend: 'as by text alone' },
        ],
        colours: { 'moved by learning': meaning.gone, 'as by text alone': meaning.notice },
      }),
    ],
  };
}

function vectors(): BoardSection {
  return {
    title: 'Single searches, and vectors',
    panels: [
      timeSeriesPanel({
        title: 'Queued for Chroma',
        description: 'Does the vector store keep up? Queued items are found by their words in the meantime.',
        unit: units.count,
        size: { width: 6, height: 8 },
        noValue: 'Chroma is not configured',
        queries: [{ expr: `sum by (instance) (${hub(series.chromaBacklog)})`, legend: '{{instance}}' }],
      }),
      tracePanel({
        title: 'Searches, newest first',
        description: 'Where does the time of a search go, and how much did it find? Click the last cell for its trace.',
        noValue: 'no traffic yet',
        where: `${hubSpans} && name = "${spanNames.toolSearch}"`,
        columns: [
          attributeColumn(attributes.searchSource, 'source'),
          attributeColumn(attributes.searchResults, 'results', 90),
          attributeColumn(attributes.genAiAgentId, 'agent'),
          rootColumn,
        ],
        size: { width: 18, height: 8 },
      }),
    ],
  };
}
