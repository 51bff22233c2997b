/**
 * An MCP server over stdio, without a library (protocol 2025-11-25), that misbehaves on request: at start by its first
 * argument, in a call by the name of the tool.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [mode = 'plain', file = ''] = process.argv.slice(2);
const cancelled: unknown[] = [];
let extraTools = 0;
let lastLine = '';

type Message = { id?: number | string; method?: string; params?: Record<string, unknown> };

/** Lines to write after the one that is being trickled; undefined while none is. */
let queuedLines: string[] | undefined;

function write(message: unknown): void {
  const line = `${JSON.stringify(message)}\n`;
  if (queuedLines === undefined) process.stdout.write(line);
  else queuedLines.push(line);
}

function text(value: string): unknown {
  return { content: [{ type: 'text', text: value }] };
}

const tool = (name: unknown) => ({ name, description: `Does ${name}.`, inputSchema: { type: 'object' } });

function tools(): unknown[] {
  const listed = Object.keys(calls).map((name) => ({ ...tool(name), ...(name === 'exotic' && exoticDefinition) }));
  for (let index = 0; index < extraTools; index += 1) listed.push(tool(`extra_${index}`));
  if (mode !== 'broken-list') return listed;
  const broken = [
    { name: 'no_schema' },
    { name: 'list_schema', inputSchema: [] },
    tool('bad\nname'),
    tool(''),
    tool(7),
  ];
  return [tool('twin'), { ...tool('twin'), description: 'The second.' }, ...broken, 'no tool at all', ...listed];
}

const exoticDefinition = {
  icons: [{ src: 'data:image/png;base64,aGk=', mimeType: 'image/png' }],
  execution: { taskSupport: 'optional' },
  _meta: { ui: { resourceUri: 'ui://exotic/view' } },
};

const exotic = {
  content: [
    {
      type: 'text',
      text: 'a',
      annotations: { audience: ['user'], own: 1 },
      _meta: { block: true },
      unknownField: 'kept',
    },
    { type: 'resource_link', uri: 'file:///a', name: 'a', size: 3, unknownField: 'kept' },
    { type: 'hologram', data: 'unknown kind' },
  ],
  structuredContent: { a: [1, { b: null }], ü: 'ü' },
  isError: false,
  _meta: { 'example.com/trace': 'kept' },
  unknownField: 'kept',
};

type Answer = (result: unknown) => void;
type Call = { id: Message['id']; args: Record<string, unknown>; meta: unknown };

function announce(): void {
  write({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
}

/** Sends a line 16 characters at a time. Other lines are queued until it is complete. */
function trickle(line: string): void {
  const waiting: string[] = [];
  queuedLines = waiting;
  const send = (rest: string) => {
    process.stdout.write(rest.slice(0, 16));
    if (rest.length > 16) {
      setTimeout(send, 1, rest.slice(16));
      return;
    }
    process.stdout.write(waiting.join(''));
    queuedLines = undefined;
  };
  send(line);
}

const calls: Record<string, (answer: Answer, call: Call) => void> = {
  hang: () => {},
  die: () => process.exit(3),
  huge: (answer, { args }) => answer(text('x'.repeat(Number(args.bytes ?? 2_097_152)))),
  not_json: (answer) => {
    process.stdout.write('this is not JSON\n');
    answer(text('after nonsense'));
  },
  not_rpc: (answer) => {
    write({ hello: 'world' });
    answer(text('after nonsense'));
  },
  twice: (answer) => {
    answer(text('first'));
    answer(text('second'));
  },
  trickle: (answer, { id }) => {
    if (queuedLines === undefined) trickle(`${JSON.stringify({ jsonrpc: '2.0', id, result: text('trickled') })}\n`);
    else answer(text('trickled'));
  },
  flood: (answer) => {
    for (let index = 0; index < 200; index += 1) {
      write({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(500) } });
    }
    answer(text('flooded'));
  },
  bad_shape: (answer) => answer({ content: 'secret-token-1' }),
  rpc_error: (_answer, { id }) =>
    write({ jsonrpc: '2.0', id, error: { code: -32_050, message: 'secret-token-1', data: 'secret-token-2' } }),
  cancelled: (answer) => answer(text(JSON.stringify(cancelled))),
  flood_stderr: (answer, { args }) => {
    for (let line = 0; line < Number(args.lines); line += 1) process.stderr.write(`line ${line} \u001b[31m\n`);
    process.stderr.write(`${'y'.repeat(200_000)}\n`);
    answer(text('flooded'));
  },
  change_tools: (answer, { args }) => {
    extraTools = Number(args.count);
    announce();
    answer(text('changed'));
  },
  announce_often: (answer) => {
    for (let index = 0; index < 100; index += 1) announce();
    answer(text('announced'));
  },
  environment: (answer) => answer(text(JSON.stringify(process.env))),
  pid: (answer) => answer(text(String(process.pid))),
  exotic: (answer) => answer(exotic),
  nulls: (answer) => answer({ content: [{ type: 'text', text: 'x', annotations: null }], isError: null }),
  null_text: (answer) => answer({ content: [{ type: 'text', text: null }] }),
  long_integers: (_answer, { id }) => {
    const structure =
      '{"id":12345678901234567890,"deep":[{"id":-9007199254740993}],"safe":9007199254740991,"float":1.5}';
    process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${structure}}}\n`);
  },
  last_line: (answer) => answer(text(lastLine)),
  list_structure: (answer) => answer({ structuredContent: [1, 2] }),
  deep: (_answer, { id }) => {
    const nested = `${'['.repeat(9000)}${']'.repeat(9000)}`;
    process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${nested}}}\n`);
  },
  error_null: (_answer, { id }) => write({ jsonrpc: '2.0', id, result: text('kept'), error: null }),
  meta_null: (_answer, { id }) => write({ jsonrpc: '2.0', id, result: { ...Object(text('kept')), _meta: null } }),
  code_text: (_answer, { id }) => write({ jsonrpc: '2.0', id, error: { code: 'E_FAIL', message: 'secret-token-1' } }),
  code_absent: (_answer, { id }) => write({ jsonrpc: '2.0', id, error: 'secret-token-1' }),
  result_null: (_answer, { id }) => write({ jsonrpc: '2.0', id, result: null }),
  result_absent: (_answer, { id }) => write({ jsonrpc: '2.0', id }),
  id_null: () => write({ jsonrpc: '2.0', id: null, error: { code: -32_600, message: 'Invalid Request' } }),
  id_wrong: () => write({ jsonrpc: '2.0', id: 999_999, result: text('misaddressed') }),
  id_next: (_answer, { id }) => write({ jsonrpc: '2.0', id: Number(id) + 1, result: text('misaddressed') }),
  id_text: (_answer, { id }) => write({ jsonrpc: '2.0', id: String(id), result: text('kept') }),
  batch: (_answer, { id }) =>
    write([
      { jsonrpc: '2.0', method: 'notifications/message' },
      { jsonrpc: '2.0', id, result: text('kept') },
    ]),
  endless: () => {
    const part = 'y'.repeat(65_536);
    const send = () => {
      while (process.stdout.write(part));
      process.stdout.once('drain', send);
    };
    send();
  },
  meta: (answer, { meta }) => answer(text(JSON.stringify(meta ?? null))),
};

let lists = 0;

function listResult(): unknown {
  lists += 1;
  if (mode === 'count-lists') writeFileSync(file, String(lists));
  if (mode === 'bad-list') return { tools: 'none' };
  if (mode === 'empty-cursor' && lists === 3) return { tools: [tool('last')], nextCursor: '' };
  if (mode === 'empty-cursor' || mode === 'circular-cursors') {
    return { tools: [tool(`page_${lists}`)], nextCursor: `cursor_${lists % 3}` };
  }
  if (mode !== 'endless-pages') return { tools: tools() };
  const page = Array.from({ length: 10 }, (_, index) => tool(`page_${lists}_${index}`));
  return { tools: page, nextCursor: `${lists}` };
}

const initializeResult = {
  protocolVersion: mode === 'old' ? '2024-11-05' : '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'faulty', version: '1.0.0' },
};

let isInitialized = false;

function handle({ id, method, params = {} }: Message): void {
  isInitialized ||= method === 'initialize';
  if (mode === 'exits-on-probe' && !isInitialized) process.exit(1);
  const answer = (result: unknown) => write({ jsonrpc: '2.0', id, result });
  const args = Object(params.arguments);
  if (method === 'notifications/cancelled') cancelled.push(params);
  if (id === undefined) return;
  if (method === 'initialize') answer(initializeResult);
  else if (method === 'ping') answer({});
  else if (method === 'tools/list') {
    answer(listResult());
    if (mode === 'dies-soon') setTimeout(() => process.exit(3), 20);
  } else if (method === 'tools/call') calls[String(params.name)]?.(answer, { id, args, meta: params._meta });
  else write({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } });
}

const notesStart = ['note-start', 'silent', 'dies-soon', 'exits-on-probe', 'exit', 'grandchild', 'detached'];
if (file !== '' && notesStart.includes(mode)) appendFileSync(file, `${process.pid}\n`);
if (mode === 'exit') {
  process.stderr.write('cannot find the database\n');
  process.exit(7);
}
if (mode === 'grandchild' || mode === 'detached') {
  // It ignores the end of its input and SIGTERM, holds the output open, and ends after longer than every test.
  const script = "process.on('SIGTERM', () => {}); setTimeout(() => {}, 60_000)";
  const { pid } = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: mode === 'detached',
  });
  appendFileSync(file, `${pid}\n`);
}
// Exits at once, until the file contains `stay`.
if (mode === 'exit-until' && !(existsSync(file) && readFileSync(file, 'utf8') === 'stay')) process.exit(1);
if (mode === 'stubborn') {
  process.on('SIGTERM', () => {});
  // Longer than every test, but finite, for runs of tests that were interrupted.
  setTimeout(() => process.exit(0), 60_000);
}
if (mode === 'silent') {
  process.stdin.resume();
} else {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    lastLine = line;
    handle(JSON.parse(line));
  });
}
