/** The check of `hestia doctor` of an OTLP collector, which is sent an empty export of each signal. */
import { systemErrorCode } from '../../flow/system-error.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import type { CommandContext } from '../command-context.ts';
import { type Finding, ok } from './diagnosis.ts';

const timeoutMs = 3000;
const endpointVariable = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/** Checks the collector of an environment. */
export async function collectorFindings(
  { telemetry }: Config,
  environment: CommandContext['environment'],
): Promise<Finding[]> {
  const signals = (['traces', 'logs', 'metrics'] as const).filter((name) => telemetry[name].exporter === 'otlp');
  if (telemetry.disabled || signals.length === 0) return [ok('collector', 'telemetry is not exported')];
  const endpoint = environment[endpointVariable];
  const found = signals.map((signal) => ({
    signal,
    protocol: telemetry[signal].protocol,
    url:
      environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`] ??
      (endpoint && `${endpoint.replace(/\/$/, '')}/v1/${signal}`),
  }));
  if (found.every(({ url }) => url === undefined)) {
    const mend = `set ${endpointVariable}, or OTEL_SDK_DISABLED=true to export nothing`;
    return [{ check: 'collector', state: 'warning', found: 'no collector is configured: telemetry is lost', mend }];
  }
  const headers = headersOf(environment.OTEL_EXPORTER_OTLP_HEADERS);
  return Promise.all(
    found.flatMap(({ signal, protocol, url }) =>
      url === undefined ? [] : [exported({ signal, protocol, url, headers })],
    ),
  );
}

/** The headers that every export carries: `name=value`, percent-encoded, separated by commas. */
function headersOf(text = ''): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  const named = pairs.flatMap(([name = '', ...value]) =>
    name.trim() === '' ? [] : [[name.trim(), decoded(value.join('=').trim())] as const],
  );
  return Object.fromEntries(named);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

async function exported({
  signal,
  protocol,
  url,
  headers,
}: {
  signal: string;
  protocol: 'http/protobuf' | 'http/json';
  url: string;
  headers: Record<string, string>;
}): Promise<Finding> {
  const check = `collector ${signal}`;
  const mend = `start the collector, or correct ${endpointVariable}`;
  const isJson = protocol === 'http/json';
  const type = isJson ? 'application/json' : 'application/x-protobuf';
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': type },
      // An empty message: the export request of no span, log record or metric.
      body: isJson ? '{}' : new Uint8Array(),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return ok(check, `${url} accepts exports`);
    return { check, state: 'failed', found: `${url} answers with status ${response.status}`, mend };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${timeoutMs} ms` : (systemErrorCode(cause) ?? 'the connection failed');
    return { check, state: 'failed', found: `${url} cannot be reached (${why})`, mend };
  }
}
