/** Evaluates LogQL queries of dashboards and documents on received log records. */

import type { ReceivedLogRecord } from '../telemetry/otlp-decode.ts';
import type { LogqlFilter, LogqlQuery } from './logql.ts';

/** The records that match every stage. */
export function recordsFound(
  { stages, texts }: LogqlQuery,
  records: readonly ReceivedLogRecord[],
): ReceivedLogRecord[] {
  return records.filter((record) => {
    const fields = fieldsOf(record);
    return (
      texts.every((text) => String(record.body).includes(text)) &&
      stages.every((filters) => filters.some((filter) => isMet(filter, fields.get(filter.field) ?? '')))
    );
  });
}

/** The field names of a record in Loki. */
export function recordFields(record: ReceivedLogRecord): string[] {
  return [...fieldsOf(record).keys()];
}

/** Attributes with underscores instead of dots, and the fields of the record itself. */
function fieldsOf(record: ReceivedLogRecord): Map<string, string> {
  const attributes = Object.entries(record.attributes).map(([name, value]) => [name.replaceAll('.', '_'), value]);
  const own = {
    severity_text: record.severityText,
    trace_id: record.traceId,
    span_id: record.spanId,
    service_instance_id: record.resource['service.instance.id'],
  };
  const known = [...attributes, ...Object.entries(own)].filter(([, value]) => value !== undefined);
  return new Map(known.map(([name, value]) => [String(name), String(value)]));
}

/** A missing field is an empty text, as in Loki. */
function isMet({ operator, value }: LogqlFilter, actual: string): boolean {
  switch (operator) {
    case '=':
      return actual === value;
    case '!=':
      return actual !== value;
    case '=~':
      return new RegExp(`^(?:${value})$`).test(actual);
    case '!~':
      return !new RegExp(`^(?:${value})$`).test(actual);
    default:
      throw new Error(`no such operator here: ${operator}`);
  }
}
