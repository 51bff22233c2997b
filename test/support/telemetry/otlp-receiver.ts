/**
 * An OTLP/HTTP receiver on a free loopback port that decodes traces, metrics and logs.
 * It accepts http/protobuf and http/json, with or without gzip. It can also fail as collectors do. The test that starts it
 * closes it.
 */
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  decodeLogRecords,
  decodeMetricPoints,
  decodeSpans,
  protobufToJson,
  type ReceivedAttributes,
  type ReceivedLogRecord,
  type ReceivedMetricPoint,
  type ReceivedSpan,
} from './otlp-decode.ts';

/**
 * `ok`: accepts everything. `refuse503`: answers 503, which exporters retry. `reject400`: answers 400, which they do not retry.
 * `hang`: reads the request and never answers. Only requests in mode `ok` are stored.
 */
export type OtlpReceiverMode = 'ok' | 'refuse503' | 'reject400' | 'hang';

/** A request in any mode. `status` is undefined if it was not answered. */
export interface OtlpRequest {
  path: string;
  contentType: string;
  contentEncoding: string | undefined;
  headers: IncomingMessage['headers'];
  status: number | undefined;
}

/** The receiver. Lists are in order of arrival. */
export interface OtlpReceiver extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4318`, for `OTEL_EXPORTER_OTLP_ENDPOINT`; the signals' paths are below it. */
  readonly url: string;
  /** May be changed at any time, for the requests that arrive afterwards. */
  mode: OtlpReceiverMode;
  spans(): ReceivedSpan[];
  logRecords(): ReceivedLogRecord[];
  /** The newest point of each series of a metric (resource, scope, attributes); of delta series, every point. */
  metricPoints(name: string): ReceivedMetricPoint[];
  /**
   * The sum over the points of a metric that have all of these attributes: values, or counts for a histogram.
   * Undefined if there is no such series.
   */
  metricTotal(name: string, attributes?: ReceivedAttributes): number | undefined;
  requests(): OtlpRequest[];
  /** Clears everything that was received. Series that are sent again have their full totals. */
  clear(): void;
  /**
   * Waits until the predicate returns a truthy value, and returns it. It is called immediately and after each request.
   * @throws Error after `timeoutMs` (30 s), with a list of what was received
   */
  waitFor<T>(predicate: () => T, timeoutMs?: number): Promise<NonNullable<T>>;
  /** Closes hanging requests too. May be repeated. */
  close(): Promise<void>;
}

const signals = {
  '/v1/traces': 'TracesData',
  '/v1/logs': 'LogsData',
  '/v1/metrics': 'MetricsData',
} as const;
type SignalPath = keyof typeof signals;

const waitMsDefault = 30_000;

/** Starts a receiver in mode `ok`, on a free port by default. */
export async function startOtlpReceiver({ port = 0 }: { port?: number } = {}): Promise<OtlpReceiver> {
  const store = createStore();
  const arrivals = new EventEmitter<{ request: [] }>().setMaxListeners(0);
  const state: { mode: OtlpReceiverMode } = { mode: 'ok' };
  const server = createServer(async (request, response) => {
    await handle({ request, response, mode: state.mode, store });
    arrivals.emit('request');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    get mode() {
      return state.mode;
    },
    set mode(mode) {
      state.mode = mode;
    },
    ...store.view,
    waitFor: (predicate, timeoutMs = waitMsDefault) => waitFor({ arrivals, store, predicate, timeoutMs }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Store = ReturnType<typeof createStore>;

/** What was received, by signal. */
function createStore() {
  const spans: ReceivedSpan[] = [];
  const logRecords: ReceivedLogRecord[] = [];
  const points = new Map<string, ReceivedMetricPoint>();
  const requests: OtlpRequest[] = [];
  const metricPoints = (name: string) => [...points.values()].filter((point) => point.name === name);
  return {
    add(path: SignalPath, json: unknown): void {
      if (path === '/v1/traces') spans.push(...decodeSpans(json));
      else if (path === '/v1/logs') logRecords.push(...decodeLogRecords(json));
      else for (const point of decodeMetricPoints(json)) points.set(seriesKey(point), point);
    },
    addRequest: (request: OtlpRequest) => requests.push(request),
    view: {
      spans: () => [...spans],
      logRecords: () => [...logRecords],
      requests: () => [...requests],
      metricPoints,
      metricTotal(name: string, attributes: ReceivedAttributes = {}): number | undefined {
        const matching = metricPoints(name).filter((point) => hasAttributes(point, attributes));
        if (matching.length === 0) return undefined;
        return matching.reduce((total, point) => total + (point.value ?? point.count ?? 0), 0);
      },
      clear(): void {
        spans.length = 0;
        logRecords.length = 0;
        requests.length = 0;
        points.clear();
      },
    },
  };
}

function seriesKey(point: ReceivedMetricPoint): string {
  const sorted = (attributes: ReceivedAttributes) =>
    Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1));
  const time = point.temporality === 'DELTA' ? `${point.timeUnixNano}` : '';
  return JSON.stringify([point.name, point.scope, sorted(point.resource), sorted(point.attributes), time]);
}

function hasAttributes(point: ReceivedMetricPoint, attributes: ReceivedAttributes): boolean {
  return Object.entries(attributes).every(([key, value]) => point.attributes[key] === value);
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  mode: OtlpReceiverMode;
  store: Store;
}

async function handle({ request, response, mode, store }: Exchange): Promise<void> {
  const path = request.url ?? '';
  const contentType = request.headers['content-type'] ?? '';
  const body = await buffer(request).catch(() => undefined);
  const status = body === undefined || mode === 'hang' ? undefined : await answer({ request, mode, store, path, body });
  store.addRequest({
    path,
    contentType,
    contentEncoding: request.headers['content-encoding'],
    headers: request.headers,
    status,
  });
  if (status === undefined) return;
  // An empty message is zero bytes in protobuf.
  response.writeHead(status, { 'content-type': contentType }).end(contentType === 'application/json' ? '{}' : '');
}

/** Stores the request if the mode allows it, and returns the status to answer. */
async function answer(exchange: {
  request: IncomingMessage;
  mode: OtlpReceiverMode;
  store: Store;
  path: string;
  body: Buffer;
}): Promise<number> {
  const { request, mode, store, path, body } = exchange;
  if (mode === 'refuse503') return 503;
  if (mode === 'reject400') return 400;
  if (!isSignalPath(path)) return 404;
  if (request.method !== 'POST') return 405;
  try {
    const bytes = request.headers['content-encoding'] === 'gzip' ? await promisify(gunzip)(body) : body;
    const contentType = request.headers['content-type'];
    if (contentType === 'application/json') store.add(path, JSON.parse(bytes.toString('utf8')));
    else if (contentType === 'application/x-protobuf') store.add(path, protobufToJson(signals[path], bytes));
    else return 415;
    return 200;
  } catch {
    return 400;
  }
}

function isSignalPath(path: string): path is SignalPath {
  return path in signals;
}

async function waitFor<T>(wait: {
  arrivals: EventEmitter<{ request: [] }>;
  store: Store;
  predicate: () => T;
  timeoutMs: number;
}): Promise<NonNullable<T>> {
  const { arrivals, store, predicate, timeoutMs } = wait;
  const { promise, resolve, reject } = Promise.withResolvers<NonNullable<T>>();
  const check = () => {
    try {
      const found = predicate();
      if (found) resolve(found);
    } catch (error) {
      reject(error);
    }
  };
  const timer = setTimeout(
    () => reject(new Error(`not received within ${timeoutMs} ms; ${summary(store)}`)),
    timeoutMs,
  );
  arrivals.on('request', check);
  check();
  return promise.finally(() => {
    clearTimeout(timer);
    arrivals.off('request', check);
  });
}

function summary({ view }: Store): string {
  const spans = view.spans().map(({ name }) => name);
  const logs = view.logRecords().map(({ body }) => String(body));
  const requests = view.requests().map(({ path, status }) => `${path} ${status ?? 'unanswered'}`);
  return `spans: ${spans.join(', ')}; log records: ${logs.join(', ')}; requests: ${requests.join(', ')}`;
}
