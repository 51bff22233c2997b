/** The official MCP client, connected to an endpoint of a hub in the protocol era that a test chooses. */
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { TestKey } from './hub.ts';
import type { ListeningHub } from './hub-listening.ts';

/** The eras that an endpoint serves. */
export const eras = ['modern', 'legacy'] as const;
/** One of {@link eras}. */
export type Era = (typeof eras)[number];

/** A connected client. Disposing it ends its session, if it has one, and closes it. */
export interface EndpointClient extends AsyncDisposable {
  client: Client;
  transport: StreamableHTTPClientTransport;
}

/** Connects a client to the path of an endpoint, such as `/mcp/everything`. `prepare` sets its handlers first. */
export async function connectEndpoint(
  hub: ListeningHub,
  key: TestKey,
  path: string,
  {
    era = 'modern',
    options = {},
    prepare,
  }: { era?: Era; options?: ClientOptions; prepare?: (client: Client) => void } = {},
): Promise<EndpointClient> {
  const mode = era === 'modern' ? 'auto' : 'legacy';
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode }, ...options });
  prepare?.(client);
  const requestInit = { headers: { authorization: `Bearer ${key.secret}` } };
  const transport = new StreamableHTTPClientTransport(new URL(`${hub.url}${path}`), { requestInit });
  await client.connect(transport);
  return {
    client,
    transport,
    [Symbol.asyncDispose]: async () => {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
}
