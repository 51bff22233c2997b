/**
 * The MCP server that faults use, as a program on standard input and output. Its tools are slow, fail, exit, change, or are
 * numerous. Its options are one JSON argument.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { faultToolNames, numberedToolName, optionsSchema } from './server.ts';

const waitMsMax = 600_000;

function createFaultServer(tools: number): McpServer {
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

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
if (options.absentWhile !== undefined && existsSync(options.absentWhile)) process.exit(1);
serveStdio(() => createFaultServer(options.tools));
