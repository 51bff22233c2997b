/** Configurations of servers under test, for a child process and for a URL. */
import { fileURLToPath } from 'node:url';
import { httpServerSchema, type ServerConfiguration, stdioServerSchema } from '../../../src/shapes/server.ts';

/** A server of this folder, run by the current Node over stdio. Arguments follow the name of its file. */
export function supportServer(file: string, ...args: string[]): ServerConfiguration {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return stdioServerSchema.parse({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', path, ...args],
  });
}

/** A server at a URL, with the headers that the hub sends to it. */
export function httpServer(url: string, headers: Record<string, string> = {}): ServerConfiguration {
  return httpServerSchema.parse({ url, headers });
}
