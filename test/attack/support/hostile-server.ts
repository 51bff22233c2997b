/**
 * An MCP server over stdio (protocol 2025-11-25), without a library, that attacks the hub on command. Its only argument is a
 * JSON file with its behaviour, which is read again at each start and at each listing; the tool `run` runs commands.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Behaviour, Command } from './hostile-upstream.ts';

const [file = ''] = process.argv.slice(2);
const behaviour = (): Behaviour => JSON.parse(readFileSync(file, 'utf8'));

type Id = number | string | undefined;

let lists = 0;
let promptLists = 0;
let serverRequests = 0;
const received: unknown[] = [];

function write(message: unknown): boolean {
  return process.stdout.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
}

const tool = (name: string, description = `Does ${name}.`) => ({ name, description, inputSchema: { type: 'object' } });

/** The listed tools, which differ in each listing if `generated` says so. */
function tools(): unknown[] {
  const { tools: named = [], generated } = behaviour();
  const list: unknown[] = [tool('run', 'Runs commands.'), ...named];
  const { count = 0, bytes = 0, changing = false } = generated ?? {};
  for (let at = 0; at < count; at += 1) {
    list.push(tool(`generated_${at}`, `Tool ${at}${changing ? ` of list ${lists}` : ''}. ${'x'.repeat(bytes)}`));
  }
  return list;
}

/** The listed prompts, which differ in each listing if `prompts` says so. */
function prompts(): unknown[] {
  const { count = 0, bytes = 0, changing = false } = behaviour().prompts ?? {};
  const description = `${changing ? `List ${promptLists}. ` : ''}${'x'.repeat(bytes)}`;
  return Array.from({ length: count }, (_, at) => ({ name: `prompt_${at}`, description }));
}

function listResult({ cursor }: { cursor?: string } = {}): unknown {
  const { cursors } = behaviour();
  if (cursors === undefined) return { tools: tools() };
  const at = cursor === undefined ? 0 : cursors.indexOf(cursor) + 1;
  return { tools: at === 0 ? tools() : [tool(`page_${cursor}`)], nextCursor: cursors[at % cursors.length] };
}

const endless = (part: string) => {
  const send = () => {
    while (process.stdout.write(part));
    process.stdout.once('drain', send);
  };
  send();
};

/** Runs one command. */
function run(command: Command, { id, token }: { id: Id; token: unknown }): void {
  const { count = 1, bytes = 0 } = command;
  const note = (method: string, params?: object) => write({ jsonrpc: '2.0', method, ...(params && { params }) });
  const text = 'x'.repeat(bytes);
  switch (command.do) {
    case 'announce': {
      const method = `notifications/${command.method ?? 'tools'}/list_changed`;
      if (command.everyMs === undefined) for (let at = 0; at < count; at += 1) note(method);
      else setInterval(note, command.everyMs, method).unref();
      return;
    }
    case 'request':
      for (let at = 0; at < count; at += 1) {
        serverRequests += 1;
        const params = { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 1 };
        write({
          jsonrpc: '2.0',
          id: `server-${serverRequests}`,
          method: command.method ?? 'sampling/createMessage',
          params,
        });
      }
      return;
    case 'progress':
      for (let at = 0; at < count; at += 1) {
        note('notifications/progress', { progressToken: token, progress: at, message: text });
      }
      return;
    case 'line':
      endless(text === '' ? 'y'.repeat(65_536) : text);
      return;
    case 'raw':
      for (let at = 0; at < count; at += 1)
        process.stdout.write((command.text ?? '').replaceAll('ID', JSON.stringify(id)));
      return;
    case 'stderr':
      for (let at = 0; at < count; at += 1) process.stderr.write(`${text}\n`);
      return;
    case 'close-input':
      process.stdin.destroy();
      return;
    case 'exit':
      process.exit(3);
  }
}

function call({ id, params }: { id: Id; params: Record<string, unknown> }): void {
  const { commands = [], answers = true, answerAfterMs = 0, echo, resultBytes = 0 } = Object(params.arguments);
  const token = Object(params._meta).progressToken;
  for (const command of commands) run(command, { id, token });
  if (!answers) return;
  const answer = () => {
    const text = JSON.stringify({
      received: received.length,
      lists,
      promptLists,
      echo,
      filler: 'x'.repeat(resultBytes),
    });
    write({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });
  };
  if (answerAfterMs > 0) setTimeout(answer, answerAfterMs);
  else answer();
}

function handle(line: string): void {
  const message = JSON.parse(line);
  const { id, method, params = {} } = message;
  if (method === undefined) {
    received.push(message);
    return;
  }
  if (id === undefined) return;
  const answer = (result: unknown) => write({ jsonrpc: '2.0', id, result });
  if (method === 'initialize') {
    const serverInfo = { name: 'hostile', version: '1.0.0' };
    const listChanged = { listChanged: true };
    const capabilities = { tools: listChanged, ...(behaviour().prompts && { prompts: listChanged }) };
    const { instructionsBytes: length } = behaviour();
    const instructions = length === undefined ? undefined : 'x'.repeat(length);
    answer({ protocolVersion: '2025-11-25', capabilities, serverInfo, instructions });
  } else if (method === 'tools/list') {
    lists += 1;
    answer(listResult(params));
    const { dieAfterMs } = behaviour();
    if (dieAfterMs !== undefined) setTimeout(() => process.exit(3), dieAfterMs);
  } else if (method === 'prompts/list') {
    promptLists += 1;
    answer({ prompts: prompts() });
  } else if (method === 'tools/call') call({ id, params });
  else answer({});
}

appendFileSync(`${file}.starts`, `${process.pid}\n`);
createInterface({ input: process.stdin }).on('line', handle);
