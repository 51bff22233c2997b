/**
 * An MCP server over Streamable HTTP, without a library (protocol 2025-11-25, with sessions), that misbehaves on request:
 * in a call by the name of the tool, otherwise by the methods of {@link FaultyHttpServer}.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

type Message = { id?: number | string; method?: string; params?: Record<string, unknown> };

/** A running server and the requests it received. Disposing it stops it at once. */
export interface FaultyHttpServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The messages received, with the headers of their requests. */
  readonly received: { method: string; params: unknown; headers: IncomingMessage['headers'] }[];
  /** The ids of the sessions that the client has terminated. */
  readonly deleted: string[];
  /** Calls of `hang` whose response is still open. */
  openCalls(): number;
  /** Replaces the tools, and sends a change notification on each open stream. */
  announce(toolNames: string[]): void;
  /** Removes all sessions, so that their requests get a 404, or the given status. */
  forgetSessions(status?: number): void;
  /** Answers requests to `/moved` with a redirect to the endpoint, or to another address. */
  redirectWith(status: number, location?: string): void;
  /** Answers everything with this status. */
  refuseWith(status: number): void;
  /** Sends no response to pings from now on. */
  ignorePings(): void;
}

/** Starts the server, on a free port unless one is given. */
export async function startFaultyHttpServer(port = 0): Promise<FaultyHttpServer> {
  const state = new State();
  const server = createServer((request, response) => void state.handle(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = addressOf(server);
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    port: address.port,
    received: state.received,
    deleted: state.deleted,
    openCalls: () => state.openCalls.size,
    announce: (toolNames) => state.announce(toolNames),
    forgetSessions: (status = 404) => {
      state.unknownSessionStatus = status;
      state.sessions.clear();
    },
    redirectWith: (status, location = '/mcp') => {
      state.redirect = { status, location };
    },
    refuseWith: (status) => {
      state.refusal = status;
    },
    ignorePings: () => {
      state.ignoresPings = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address;
}

const toolNamesAtStart = [
  'echo',
  'hang',
  'stream',
  'stream_broken',
  'stream_without_answer',
  'huge_json',
  'huge_stream',
  'not_json',
  'not_rpc',
  'html',
  'unavailable',
  'failing',
  'rpc_error',
  'error_null',
  'meta_null',
  'code_text',
  'id_wrong',
  'gzip_json',
  'gzip_stream',
  'gzip_bomb',
  'capital_type',
  'no_blank_line',
  'stream_error_null',
  'stream_meta_null',
  'stream_code_text',
  'stream_digits',
];

class State {
  readonly received: FaultyHttpServer['received'] = [];
  readonly deleted: string[] = [];
  readonly sessions = new Set<string>();
  readonly openCalls = new Set<ServerResponse>();
  readonly #streams = new Set<ServerResponse>();
  #toolNames = toolNamesAtStart;
  #sessionsCount = 0;
  ignoresPings = false;
  unknownSessionStatus = 404;
  redirect: { status: number; location: string } | undefined;
  refusal: number | undefined;

  announce(toolNames: string[]): void {
    this.#toolNames = toolNames;
    for (const stream of this.#streams) sendEvent(stream, { method: 'notifications/tools/list_changed' });
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.refusal !== undefined) {
      response.writeHead(this.refusal).end('secret-token-1');
      return;
    }
    if (request.url === '/moved' && this.redirect !== undefined) {
      response.writeHead(this.redirect.status, { location: this.redirect.location }).end('moved');
      return;
    }
    const session = String(request.headers['mcp-session-id'] ?? '');
    if (session !== '' && !this.sessions.has(session)) {
      response.writeHead(this.unknownSessionStatus).end('Bad Request: no valid session id');
      return;
    }
    if (request.method === 'DELETE') {
      this.deleted.push(session);
      this.sessions.delete(session);
      response.writeHead(204).end();
    } else if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
    } else {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      this.#post(JSON.parse(Buffer.concat(chunks).toString()), request, response);
    }
  }

  #post(message: Message, request: IncomingMessage, response: ServerResponse): void {
    const { id, method = '', params = {} } = message;
    this.received.push({ method, params, headers: request.headers });
    if (id === undefined) {
      response.writeHead(202).end();
    } else if (method === 'initialize') {
      this.#sessionsCount += 1;
      this.sessions.add(`session-${this.#sessionsCount}`);
      response.setHeader('mcp-session-id', `session-${this.#sessionsCount}`);
      const capabilities = { tools: { listChanged: true } };
      const serverInfo = { name: 'faulty', version: '1.0.0' };
      sendJson(response, id, { protocolVersion: '2025-11-25', capabilities, serverInfo });
    } else if (method === 'ping') {
      if (!this.ignoresPings) sendJson(response, id, {});
    } else if (method === 'tools/list') {
      const tools = this.#toolNames.map((name) => ({ name, inputSchema: { type: 'object' } }));
      sendJson(response, id, { tools });
    } else if (method === 'tools/call') {
      this.#call(id, String(params.name), response);
    } else {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } }));
    }
  }

  #call(id: number | string, toolName: string, response: ServerResponse): void {
    const content = [{ type: 'text', text: toolName }];
    const huge = { content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] };
    const stream = () => response.writeHead(200, { 'content-type': 'text/event-stream' });
    const answers: Record<string, () => void> = {
      echo: () => sendJson(response, id, { content }),
      hang: () => {
        stream().flushHeaders();
        this.openCalls.add(response);
        response.on('close', () => this.openCalls.delete(response));
      },
      stream: () => {
        sendEvent(stream(), { id, result: { content } });
        response.end();
      },
      stream_broken: () => {
        stream().write(': begun\n\n', () => response.destroy());
      },
      stream_without_answer: () => stream().end('data: not JSON\n\n'),
      huge_json: () => sendJson(response, id, huge),
      huge_stream: () => {
        sendEvent(stream(), { id, result: huge });
        response.end();
      },
      not_json: () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
      not_rpc: () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"hello":"world"}'),
      html: () => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>secret-token-1</p>'),
      unavailable: () => response.writeHead(503).end('secret-token-1'),
      failing: () => response.writeHead(500).end('secret-token-1'),
      rpc_error: () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_050, message: 'secret-token-1' } }));
      },
    };
    const result = { content };
    const json = (message: object, headers = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(message));
    const deviations: Record<string, () => void> = {
      error_null: () => json({ jsonrpc: '2.0', id, result, error: null }),
      meta_null: () => json({ jsonrpc: '2.0', id, result: { ...result, _meta: null } }),
      code_text: () => json({ jsonrpc: '2.0', id, error: { code: 'E_FAIL', message: 'secret-token-1' } }),
      id_wrong: () => json({ jsonrpc: '2.0', id: 999_999, result }),
      gzip_json: () => sendGzip(response, 'application/json', { jsonrpc: '2.0', id, result }),
      gzip_stream: () => sendGzip(response, 'text/event-stream', { jsonrpc: '2.0', id, result }),
      gzip_bomb: () => sendGzip(response, 'application/json', { id, result: 'x'.repeat(20_000_000) }),
      capital_type: () => {
        response.writeHead(200, { 'content-type': 'Text/Event-Stream; charset=utf-8' });
        sendEvent(response, { id, result });
        response.end();
      },
      no_blank_line: () => stream().end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}`),
    };
    const event = (message: string) => stream().end(`id: 7\r\nevent: message\r\ndata: ${message}\r\n\r\n`);
    const streamed: Record<string, () => void> = {
      stream_error_null: () => event(JSON.stringify({ jsonrpc: '2.0', id, result, error: null })),
      stream_meta_null: () => event(JSON.stringify({ jsonrpc: '2.0', id, result: { ...result, _meta: null } })),
      stream_code_text: () =>
        event(JSON.stringify({ jsonrpc: '2.0', id, error: { code: 'E', message: 'secret-token-1' } })),
      stream_digits: () =>
        event(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":{"n":12345678901234567890}}}`),
    };
    for (const kind of [answers, deviations, streamed]) kind[toolName]?.();
  }
}

function sendGzip(response: ServerResponse, type: string, message: object): void {
  const text = JSON.stringify(message);
  response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
  response.end(gzipSync(type === 'application/json' ? text : `data: ${text}\n\n`));
}

function sendJson(response: ServerResponse, id: number | string, result: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

function sendEvent(response: ServerResponse, message: object): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}
