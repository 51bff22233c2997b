/** HTTP load with persistent connections and a fixed number of requests in flight. */
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Slice, Subject } from './paired.ts';

/** The repeated request. */
export interface HttpLoad {
  url: string;
  path: string;
  /** The headers of every request, or of the `index`-th, from 1. */
  headers: Record<string, string> | ((index: number) => Record<string, string>);
  /** The body of the `index`-th request. */
  body: (index: number) => string;
  /** Whether a response is correct. An incorrect one fails the run. */
  isAnswer: (body: string) => boolean;
  /** The process whose CPU time is measured. */
  pid: number;
}

/** A source of load. Disposing it closes its connections. */
export interface HttpLoader extends AsyncDisposable {
  /** Sends one request and waits for its response. @throws Error if the response is not correct */
  call(): Promise<void>;
  /** The load as a subject, with `inFlight` requests in flight. */
  subject(name: string, inFlight: number): Subject;
}

const inFlightMax = 64;
let index = 0;

/** Prepares the load. Nothing is sent before the first slice. */
export function httpLoader(load: HttpLoad): HttpLoader {
  const pool = new Pool(load.url, { connections: inFlightMax });
  const call = async (): Promise<void> => {
    index += 1;
    const { path } = load;
    const headers = typeof load.headers === 'function' ? load.headers(index) : load.headers;
    const { statusCode, body } = await pool.request({ path, method: 'POST', headers, body: load.body(index) });
    const text = await body.text();
    if (statusCode !== 200 || !load.isAnswer(text)) {
      throw new Error(`${load.url}${load.path} answered ${statusCode}: ${text.slice(0, 300)}`);
    }
  };
  return {
    call,
    subject: (name, inFlight) => ({
      name,
      slice: (durationMs) => loadSlice(call, { durationMs, inFlight, pid: load.pid }),
    }),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

/** The CPU time of each process at the end of its last slice. This process is none of them: it also puts the others under load. */
const cpuAtEnd = new Map<number, number>();

/**
 * Repeats `call` with `inFlight` calls in flight for `durationMs`, and waits for the last ones. The CPU time includes what the
 * process did since its slice before: its views, for example, follow its calls by up to a second.
 */
export async function loadSlice(
  call: () => Promise<void>,
  { durationMs, inFlight, pid }: { durationMs: number; inFlight: number; pid: number },
): Promise<Slice> {
  const latenciesMs: number[] = [];
  const cpuBefore = cpuAtEnd.get(pid) ?? cpuMs(pid);
  const startedAt = performance.now();
  const worker = async () => {
    while (performance.now() < startedAt + durationMs) {
      const calledAt = performance.now();
      await call();
      latenciesMs.push(performance.now() - calledAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const wallMs = performance.now() - startedAt;
  const cpuAfter = cpuMs(pid);
  if (pid !== process.pid) cpuAtEnd.set(pid, cpuAfter);
  return { latenciesMs, wallMs, cpuMs: cpuAfter - cpuBefore };
}

/** Clock ticks per second in which Linux reports CPU time (USER_HZ). */
const ticksPerSecond = 100;

/** The user and kernel CPU time of a process without its children, in milliseconds (proc(5), /proc/pid/stat). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / ticksPerSecond) * 1000;
}

/** A JSON-RPC request `tools/call` as text. */
export function toolsCall(name: string, args: object, meta?: object) {
  return (id: number): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: args, ...(meta !== undefined && { _meta: meta }) },
    });
}

/** The headers of a Streamable HTTP client (protocol 2025-11-25). */
export const mcpHeaders = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
};

/** Opens a session of the 2025 protocols. Returns the headers of its further requests. */
export async function openMcpSession(
  url: string,
  headers: Record<string, string> = {},
): Promise<Record<string, string>> {
  const post = (message: object, more: Record<string, string>) =>
    fetch(url, { method: 'POST', headers: { ...mcpHeaders, ...headers, ...more }, body: JSON.stringify(message) });
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } };
  const opened = await post({ jsonrpc: '2.0', id: 'open', method: 'initialize', params }, {});
  if (!opened.ok) throw new Error(`${url} opened no session: ${opened.status} ${await opened.text()}`);
  await opened.text();
  const sessionId = opened.headers.get('mcp-session-id');
  const session = { ...headers, ...(sessionId !== null && { 'mcp-session-id': sessionId }) };
  const initialized = await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  await initialized.text();
  return { ...mcpHeaders, ...session };
}
