/** Configurations of the published MCP servers from npm. */
import { fileURLToPath } from 'node:url';
import type { StdioServer } from '../../../src/shapes/server.ts';

/** A package `@modelcontextprotocol/server-<name>`, run by the current Node over stdio. */
export function realServer(
  name: 'everything' | 'filesystem' | 'memory',
  args: string[] = [],
  env: Record<string, string> = {},
): StdioServer {
  const file = fileURLToPath(
    new URL(`../../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`, import.meta.url),
  );
  return { command: process.execPath, args: [file, ...args], env, autoConnect: true };
}
