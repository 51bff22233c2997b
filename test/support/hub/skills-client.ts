/** The SDK's client of the Skills extension, connected to a hub that listens. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import type { TestKey } from './hub.ts';

/** A connected client. Disposing it closes the connection. */
export interface ConnectedSkills extends AsyncDisposable {
  client: Client;
  skills: SkillsClient;
}

/** Connects with a key, and negotiates 2026-07-28 (`auto`) or 2025-11-25 (`legacy`). */
export async function connectSkills(
  hubUrl: string,
  key: Pick<TestKey, 'secret'>,
  mode: 'auto' | 'legacy' = 'auto',
): Promise<ConnectedSkills> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${key.secret}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${hubUrl}/mcp`), { requestInit }));
  return { client, skills: new SkillsClient(client), [Symbol.asyncDispose]: () => client.close() };
}
