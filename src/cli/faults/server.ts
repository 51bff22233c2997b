/** How faults start the MCP server that they use, and the names of its tools. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The id of this server in the configuration of a hub. */
export const faultServerId = 'demo';

/** Its tools. `fine` responds at once, `fail` reports an error, `wait` takes `ms`, `leave` exits the process, `change` changes its own description. */
export const faultToolNames = { fine: 'fine', fail: 'fail', wait: 'wait', leave: 'leave', change: 'change' } as const;

/** The options of the program, its one argument as JSON. */
export const optionsSchema = z.strictObject({
  /** Number of further tools, named `numbered_1` and so on. */
  tools: z.int().min(0).max(1000).default(0),
  /** While this file exists, the server exits at startup. */
  absentWhile: z.string().optional(),
});

/** The entry of a hub's `mcpServers` that starts this server. */
export function faultServer(options: z.input<typeof optionsSchema> = {}): { command: string; args: string[] } {
  const file = fileURLToPath(new URL('./server-program.ts', import.meta.url));
  return { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', file, JSON.stringify(options)] };
}

/** The name of a numbered tool. Numbers start at 1. */
export function numberedToolName(number: number): string {
  return `numbered_${number}`;
}
