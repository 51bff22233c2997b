/** What Loki would find among log records, for the queries that the boards and the runbook ask. */

import type { ReceivedLogRecord } from '../telemetry/otlp-decode.ts';
import type { LogqlFilter, LogqlQuery } from './logql.ts';

/** The records that meet every stage. */
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

/** The fields of a record as Loki names them. */
export function recordFields(record: ReceivedLogRecord): string[] {
  return [...fieldsOf(record).keys()];
}

/** Attributes with underscores for dots, and the record's own parts. */
function fieldsOf(record: ReceivedLogRecord): Map<string, string> {
  const attributes = Object.entries(record.attributes).map(([name, value]) => [name.replaceAll('.', '_'), value]);
  const own = { severity_text: record.severityText, trace_id: record.traceId, span_id: record.spanId };
  const known = [...attributes, ...Object.entries(own)].filter(([, value]) => value !== undefined);
  return new Map(known.map(([name, value]) => [String(name), String(value)]));
}

/** What is absent is the empty text, as in Loki. */
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
