/**
 * The MCP server that faults use: its tools are slow, fail, exit, change, or are numerous.
 * As a program it serves standard input and output. Its options are one JSON argument.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

/** The id of this server in the configuration of a hub. */
export const faultServerId = 'demo';

/** Its tools. `fine` responds at once, `fail` reports an error, `wait` takes `ms`, `leave` exits the process, `change` changes its own description. */
export const faultToolNames = { fine: 'fine', fail: 'fail', wait: 'wait', leave: 'leave', change: 'change' } as const;

const optionsSchema = z.strictObject({
  /** Number of further tools, named `numbered_1` and so on. */
  tools: z.int().min(0).max(1000).default(0),
  /** While this file exists, the server exits at startup. */
  absentWhile: z.string().optional(),
});

/** The entry of a hub's `mcpServers` that starts this server. */
export function faultServer(options: z.input<typeof optionsSchema> = {}): { command: string; args: string[] } {
  const file = fileURLToPath(import.meta.url);
  return { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', file, JSON.stringify(options)] };
}

/** The name of a numbered tool. Numbers start at 1. */
export function numberedToolName(number: number): string {
  return `numbered_${number}`;
}

const waitMsMax = 600_000;

function createFaultServer({ tools }: z.infer<typeof optionsSchema>): McpServer {
  const server = new McpServer(
    { name: 'hestia-demo-faults', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  const fine = () => text('fine');
  server.registerTool(faultToolNames.fine, { description: 'Answers at once.' }, fine);
  server.registerTool(faultToolNames.fail, { description: 'Says that it failed.' }, () => ({
    ...text('failed as asked'),
    isError: true,
  }));
  const inputSchema = z.object({ ms: z.int().min(1).max(waitMsMax) });
  server.registerTool(
    faultToolNames.wait,
    { description: 'Answers after some milliseconds.', inputSchema },
    async ({ ms }, { mcpReq }) => {
      await delay(ms, undefined, { signal: mcpReq.signal }).catch(() => undefined);
      return text('waited');
    },
  );
  server.registerTool(faultToolNames.leave, { description: 'Ends this server.' }, () => process.exit(0));
  let changes = 0;
  const changing = server.registerTool(faultToolNames.change, { description: 'Changes its own description.' }, () => {
    changes += 1;
    changing.update({ description: `Changes its own description, and did so ${changes} times.` });
    return text('changed');
  });
  for (let number = 1; number <= tools; number += 1) {
    server.registerTool(numberedToolName(number), { description: `Is number ${number} of many.` }, fine);
  }
  return server;
}

if (import.meta.main) {
  const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
  if (options.absentWhile !== undefined && existsSync(options.absentWhile)) process.exit(1);
  serveStdio(() => createFaultServer(options));
}
