/** Evaluates TraceQL queries on received spans. Supports conditions joined by `&&`. */
import type { ReceivedSpan } from '../telemetry/otlp-decode.ts';
import type { TraceqlCondition, TraceqlQuery } from './traceql.ts';

/** The spans that match all conditions. */
export function spansFound({ conditions }: TraceqlQuery, spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.filter((span) => conditions.every((condition) => isMet(condition, fieldOf(condition.field, span))));
}

/** The attribute names of a span and of its resource in TraceQL. */
export function spanAttributes({ attributes, resource }: ReceivedSpan): string[] {
  return [
    ...Object.keys(attributes).map((name) => `span.${name}`),
    ...Object.keys(resource).map((name) => `resource.${name}`),
  ];
}

function isMet({ operator, value }: TraceqlCondition, actual: unknown): boolean {
  switch (operator) {
    case '=':
      return value === 'nil' ? actual === undefined : String(actual) === value;
    case '!=':
      return value === 'nil' ? actual !== undefined : actual !== undefined && String(actual) !== value;
    case '=~':
      return actual !== undefined && new RegExp(`^(?:${value})$`).test(String(actual));
    case '>':
      return Number(actual) > nanoseconds(value);
    default:
      throw new Error(`no such operator here: ${operator}`);
  }
}

/** Converts a duration such as `500ms` to nanoseconds; returns a plain number unchanged. */
function nanoseconds(text: string): number {
  const [, number, unit] = text.match(/^([\d.]+)(ms|s|)$/) ?? [];
  return Number(number) * (unit === 'ms' ? 1e6 : unit === 's' ? 1e9 : 1);
}

function fieldOf(field: string, span: ReceivedSpan): unknown {
  const [scope, ...rest] = field.split('.');
  const attribute = rest.join('.');
  if (scope === 'span') return span.attributes[attribute];
  if (scope === 'resource') return span.resource[attribute];
  switch (field) {
    case 'name':
      return span.name;
    case 'status':
      return span.status.code.toLowerCase();
    case 'duration':
      return Number(span.endTimeUnixNano) - Number(span.startTimeUnixNano);
    default:
      throw new Error(`no such field here: ${field}`);
  }
}
