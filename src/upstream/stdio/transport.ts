/**
 * The MCP transport to a child process: lines of JSON on its standard input and output. The process is the leader of its
 * own group. Started once and closed once; the channel decides when.
 */
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { UpstreamCallError } from '../call-failure.ts';
import { isResponse, libraryResponse, responseOutcome, withExactStructure } from '../json-rpc.ts';
import { Calls } from './calls.ts';
import { LineReader } from './line-reader.ts';
import { type PipedProcess, type Program, startProcessGroup } from './process-group.ts';
import { TurnWriter } from './turn-writer.ts';

/** What {@link StdioTransport} needs. */
export interface StdioTransportDeps {
  program: Program;
  /** The longest line, in bytes. After a longer one the transport is closed. */
  lineBytesMax: number;
  /** Called with the process, before anything is read from it. */
  onStarted(child: PipedProcess): void;
  /** Called once, when a line is too long. */
  onLineTooLong(): void;
}

/**
 * Milliseconds from the exit of a process, or the end of its output, until the connection counts as lost. In between its
 * last output is read and its exit code becomes known. A process that it has started may hold the output open for longer.
 */
const closeDelayMs = 200;

/** The transport. Owns the process and the tool calls in progress. */
export class StdioTransport implements Transport {
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  onmessage: Transport['onmessage'];
  /** The calls of protocols until 2025. */
  readonly calls: Calls;
  readonly #deps: StdioTransportDeps;
  #child: PipedProcess | undefined;
  #writer: TurnWriter | undefined;
  #reader: LineReader | undefined;
  readonly #textIds = new Set<string>();
  #numberIdMax = -1;
  #isClosed = false;

  constructor(deps: StdioTransportDeps) {
    this.#deps = deps;
    this.calls = new Calls({
      send: (message) => this.#write(message),
      isOfLibrary: (id) => this.#isOfLibrary(id),
    });
  }

  /** The id of the process and of its group, once it has started. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The standard error of the process. Together with `pid` it tells the library that this transport is a process. */
  get stderr(): PipedProcess['stderr'] | null {
    return this.#child?.stderr ?? null;
  }

  /** Starts the process. @throws the system error if it cannot be started */
  start(): Promise<void> {
    const child = startProcessGroup(this.#deps.program);
    this.#child = child;
    this.#deps.onStarted(child);
    this.#writer = new TurnWriter(child.stdin);
    const reader = new LineReader({
      bytesMax: this.#deps.lineBytesMax,
      onLine: (line) => this.#receive(line),
      onTooLong: () => {
        this.#deps.onLineTooLong();
        this.calls.fail(new UpstreamCallError('response_too_large'));
        this.#close();
      },
    });
    this.#reader = reader;
    child.stdout.on('data', (chunk: Buffer) => reader.add(chunk));
    // The end of the process follows, and is reported then.
    for (const stream of [child.stdin, child.stdout]) stream.on('error', () => {});
    const closeSoon = () => setTimeout(() => this.#close(), closeDelayMs).unref();
    child.stdout.on('end', closeSoon);
    child.on('exit', closeSoon);
    child.on('close', () => this.#close());
    return new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.on('error', reject);
    });
  }

  /** Sends a message of the library. */
  send(message: JSONRPCMessage): Promise<void> {
    if ('method' in message && 'id' in message) {
      if (typeof message.id === 'string') this.#textIds.add(message.id);
      else this.#numberIdMax = Math.max(this.#numberIdMax, message.id);
    }
    return this.#write(message);
  }

  /** Closes the input of the process and reports the end of the connection. Waiting for its exit is the channel's work. */
  async close(): Promise<void> {
    this.#writer?.end();
    this.#close();
  }

  /** Releases the output of the process, which a process that could not be killed may still hold open. */
  release(): void {
    this.#child?.stdout.destroy();
    this.#child?.stderr.destroy();
  }

  #write(message: object): Promise<void> {
    if (this.#writer === undefined) return Promise.reject(new Error('the process is not started'));
    return this.#writer.send(`${JSON.stringify(message)}\n`);
  }

  #isOfLibrary(id: unknown): boolean {
    return typeof id === 'string' ? this.#textIds.has(id) : typeof id === 'number' && id <= this.#numberIdMax;
  }

  #receive(line: string): void {
    let value: unknown;
    try {
      value = withExactStructure(JSON.parse(line), line);
    } catch {
      // Servers print greetings and log lines on their standard output.
      return;
    }
    // Protocol 2025-03-26 has batches.
    for (const message of Array.isArray(value) ? value : [value]) {
      if (isJsonObject(message)) this.#deliver(message);
    }
  }

  #deliver(message: JsonObject): void {
    if (!isResponse(message)) {
      this.#deliverToLibrary(message);
      return;
    }
    if (this.calls.accept(message)) return;
    const { id } = message;
    if (typeof id === 'string' || typeof id === 'number') {
      this.#deliverToLibrary(libraryResponse(id, responseOutcome(message)));
    }
  }

  #deliverToLibrary(message: object): void {
    if (isLibraryMessage(message)) this.onmessage?.(message);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader?.stop();
    this.calls.fail(new UpstreamCallError('connection_lost'));
    this.onclose?.();
  }
}

/** The library checks the rest itself. */
function isLibraryMessage(message: object): message is JSONRPCMessage {
  return 'jsonrpc' in message && message.jsonrpc === '2.0';
}
