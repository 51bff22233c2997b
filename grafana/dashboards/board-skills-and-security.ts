/** The dashboard Skills and security: skill activations, denied requests, and suspected attacks. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { type SecurityEvent, securityEventSchema } from '../../src/shapes/event.ts';
import { attributes } from '../../src/telemetry/names.ts';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { type BoardSection, createBoard, hubLogs, hubSpans } from './board.ts';
import { meaning, securityEventColours } from './colour.ts';
import { mustBeZero, steps, units } from './panel.ts';
import { statPanel, timeSeriesPanel } from './panel-chart.ts';
import { attributeColumn, logPanel, tablePanel, tracePanel } from './panel-list.ts';
import { hub, is, isNot, matches, overInterval, overRange, perSecond, quantile } from './promql.ts';

const events = securityEventSchema.enum;
/** Events of refused requests and blocked attacks. */
const refusals: readonly SecurityEvent[] = [events.AUTH_FAILED, events.ACCESS_DENIED, events.RATE_LIMITED];
const threats: readonly SecurityEvent[] = [
  events.SKILL_INJECTION_ATTEMPT,
  events.TOOL_POISONING_SUSPECTED,
  events.TOOL_DEFINITION_CHANGED,
  events.AUDIT_CHAIN_BROKEN,
];
const registrationFailures: readonly SecurityEvent[] = [
  events.SKILL_ACTIVATION_REGISTRATION_FAILED,
  events.SKILL_DEACTIVATION_UNREGISTRATION_FAILED,
];

const counted = (names: readonly SecurityEvent[]) =>
  hub(series.securityEvents, matches(labels.securityEvent, names.join('|')));
const logged = (names: readonly string[]) => `${hubLogs} | security_event=~"${names.join('|')}"`;

/** The dashboard Skills and security. */
export function skillsAndSecurityBoard(): Dashboard {
  return createBoard({
    uid: boardUids.skillsAndSecurity,
    title: 'Skills and security',
    description: 'Which skills are active, who changed that, who was refused, and what looks like an attack?',
    next: [
      ['Is anything else wrong?', boardUids.overview],
      ['What do tools do?', boardUids.tools],
      ['When did skills expire?', boardUids.scheduler],
    ],
    sections: [inShort(), overTime(), skills(), whoAndWhat()],
  });
}

function inShort(): BoardSection {
  const stat = (title: string, description: string, names: readonly SecurityEvent[], serious: boolean) =>
    statPanel({
      title,
      description,
      unit: units.count,
      decimals: 0,
      queries: [{ expr: overRange(counted(names)), legend: title.toLowerCase() }],
      thresholds: serious ? mustBeZero() : steps(meaning.good, { from: 0.5, colour: meaning.suspect }),
    });
  return {
    title: 'In short',
    panels: [
      statPanel({
        title: 'Active skills',
        description: 'How many skills are currently active, in all namespaces?',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: `sum(${hub(series.skillsActive)})`, legend: 'active' }],
      }),
      stat(
        'Skills without a tool',
        'How many activations and deactivations left the tool list wrong? The skill has its new state, but its tool is missing or still listed.',
        registrationFailures,
        true,
      ),
      stat(
        'Suspected attacks',
        'How many skills tried to inject instructions, tools changed their definition after they were accepted, or descriptions look poisoned?',
        threats,
        true,
      ),
      stat('Wrong keys', 'How many requests came with no valid key?', [events.AUTH_FAILED], false),
      stat('Access denied', 'How many requests asked for what their key may not do?', [events.ACCESS_DENIED], false),
      stat('Rate limited', 'How many requests were too many?', [events.RATE_LIMITED], false),
    ],
  };
}

function overTime(): BoardSection {
  return {
    title: 'Over time',
    panels: [
      timeSeriesPanel({
        title: 'Security events by name',
        description:
          'Which events happened when, and how often? Green is normal operation, orange was refused, red and purple need attention.',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        many: true,
        noValue: 'no event',
        size: { width: 24, height: 9 },
        queries: [
          {
            // Without the events that did not happen, which would fill the legend.
            expr: `${overInterval(hub(series.securityEvents), labels.securityEvent)} > 0`,
            legend: `{{${labels.securityEvent}}}`,
          },
        ],
        colours: securityEventColours,
      }),
      logPanel({
        title: 'Activations, newest first',
        description: 'Which skill was activated or deactivated, when, and by whom?',
        noValue: 'no skill was activated or deactivated',
        query: `${logged(['SKILL_ACTIVATION_.+', 'SKILL_DEACTIVATION_.+'])}`,
      }),
      logPanel({
        title: 'Denied and blocked, newest first',
        description: 'Who was denied or blocked, and why?',
        noValue: 'nobody was refused',
        query: `${logged([...refusals, ...threats])}`,
      }),
    ],
  };
}

function skills(): BoardSection {
  const operations = `${series.skillOperationDuration}_count`;
  return {
    title: 'Skills',
    panels: [
      timeSeriesPanel({
        title: 'Active skills by namespace',
        description: 'How many skills are active in each namespace?',
        unit: units.count,
        decimals: 0,
        size: { width: 8 },
        queries: [{ expr: `sum by (namespace) (${hub(series.skillsActive)})`, legend: '{{namespace}}' }],
      }),
      timeSeriesPanel({
        title: 'Skill operations',
        description: 'How many operations on skills are there, and how many fail?',
        unit: units.operationsPerSecond,
        size: { width: 8 },
        queries: [
          {
            expr: perSecond(hub(operations, is(labels.errorType, '')), labels.skillOperation),
            legend: `{{${labels.skillOperation}}}`,
          },
          {
            expr: perSecond(hub(operations, isNot(labels.errorType, '')), labels.skillOperation, labels.errorType),
            legend: `{{${labels.skillOperation}}}: {{${labels.errorType}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'P95 duration of skill operations',
        description: 'Is the skill registry fast?',
        unit: units.seconds,
        size: { width: 8 },
        queries: [
          {
            expr: quantile(0.95, hub(`${series.skillOperationDuration}_bucket`), labels.skillOperation),
            legend: `{{${labels.skillOperation}}}`,
          },
        ],
      }),
    ],
  };
}

function whoAndWhat(): BoardSection {
  return {
    title: 'Who and what',
    panels: [
      tablePanel({
        title: 'Refused, by agent',
        description:
          'Is it one agent with a wrong key, or many? Counted from the log, because agents are never labels of a metric.',
        store: 'loki',
        noValue: 'nobody was refused',
        rows: {
          agent_id: { title: 'agent' },
          security_event: { title: 'event' },
          error_type: { title: 'reason' },
        },
        columns: [
          {
            title: 'times',
            expr: `topk(20, sum by (agent_id, security_event, error_type) (count_over_time(${logged([...refusals, ...threats])} [$__range])))`,
            unit: units.count,
            width: 80,
          },
        ],
        sortBy: 'times',
      }),
      tracePanel({
        title: 'Requests with a security event, newest first',
        description:
          'In which request did it happen, and what else did that request do? Click the last cell for its trace.',
        noValue: 'no security event',
        where: `${hubSpans} && span.${attributes.securityEvent} != nil`,
        columns: [
          attributeColumn(attributes.securityEvent, 'event'),
          attributeColumn(attributes.genAiAgentId, 'agent'),
          attributeColumn(attributes.skillName, 'skill'),
          attributeColumn(attributes.errorType, 'reason'),
        ],
      }),
    ],
  };
}
