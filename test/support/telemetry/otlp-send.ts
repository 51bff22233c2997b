/** Sends signals to a collector as OTLP/HTTP in JSON, as a sender other than the hub might. */
import { randomBytes } from 'node:crypto';

/** A span that ends now. */
export interface SentSpan {
  name: string;
  attributes?: Record<string, string>;
  /** Default: unset. */
  failed?: boolean;
  durationMs?: number;
}

/** The sender, as `job="tests/another"`, `instance="sender-1"`. */
function resource(version = '1.0.0') {
  const identity = { 'service.namespace': 'tests', 'service.name': 'another', 'service.instance.id': 'sender-1' };
  return { attributes: attributeList({ ...identity, 'service.version': version }) };
}

/**
 * Sends spans in one request, each in a trace of its own, from a sender of this version.
 * @throws Error if the collector does not accept them
 */
export async function sendSpans(url: string, spans: SentSpan[], version?: string): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n;
  await send(`${url}/v1/traces`, {
    resourceSpans: [
      {
        resource: resource(version),
        scopeSpans: [
          {
            spans: spans.map(({ name, attributes = {}, failed = false, durationMs = 1 }) => ({
              traceId: randomBytes(16).toString('hex'),
              spanId: randomBytes(8).toString('hex'),
              name,
              kind: 1,
              startTimeUnixNano: String(now - BigInt(durationMs) * 1_000_000n),
              endTimeUnixNano: String(now),
              attributes: attributeList(attributes),
              ...(failed && { status: { code: 2 } }),
            })),
          },
        ],
      },
    ],
  });
}

/** A log record. */
export interface SentLogRecord {
  body: string;
  attributes: Record<string, string>;
}

/** Sends a log record. @throws Error if the collector does not accept it */
export function sendLogRecord(url: string, record: SentLogRecord): Promise<void> {
  return sendLogRecords(url, [record]);
}

/** Sends log records in one request. @throws Error if the collector does not accept them */
export async function sendLogRecords(url: string, records: SentLogRecord[]): Promise<void> {
  const logRecords = records.map(({ body, attributes }) => ({
    body: { stringValue: body },
    attributes: attributeList(attributes),
  }));
  await send(`${url}/v1/logs`, { resourceLogs: [{ resource: resource(), scopeLogs: [{ logRecords }] }] });
}

function attributeList(attributes: Record<string, string>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

async function send(url: string, message: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  if (!response.ok) throw new Error(`the collector answered ${response.status}: ${await response.text()}`);
}
