/** Connections of agents to a server with `oauth.identity: agent`, each with the agent's own login. */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { unlessAborted } from '../../flow/time-limit.ts';
import type { AgentName } from '../../shapes/oauth/credential.ts';
import { callFailure } from '../call-failure.ts';
import type { AgentConnections, UpstreamConnection } from '../connection/contract.ts';
import type { Authorizer } from './authorizer.ts';

/** A connection of one agent, and its login. */
export interface AgentConnection {
  connection: UpstreamConnection;
  authorizer: Authorizer | undefined;
}

/** The most connections of one server. A further one closes that which was unused for longest. */
const connectionsMax = 64;

/** Creates the connections; `open` creates that of an agent when it is first used. */
export function createAgentConnections(open: (agent: AgentName) => AgentConnection): AgentConnections {
  const byAgent = new BoundedMap<string, AgentConnection>(connectionsMax);
  const ending = new Set<Promise<void>>();
  const end = (connection: UpstreamConnection) => {
    const ended = connection.disconnect().finally(() => ending.delete(ended));
    ending.add(ended);
    return ended;
  };
  const use = (agent: AgentName) => {
    const key = keyOf(agent);
    const used = byAgent.get(key) ?? open(agent);
    byAgent.delete(key);
    const evicted = byAgent.set(key, used);
    if (evicted !== undefined) void end(evicted[1].connection);
    return used;
  };
  const connected = async (agent: AgentName, signal: AbortSignal) => {
    const { connection, authorizer } = use(agent);
    try {
      await authorizer?.requireLogin();
      await unlessAborted(connection.connect(), signal);
    } catch (error) {
      throw callFailure(error, false);
    }
    return connection;
  };
  return {
    find: (agent) => ({
      call: async (call) => (await connected(agent, call.signal)).call(call),
      request: async (request) => (await connected(agent, request.signal)).request(request),
    }),
    close: async (agent) => {
      const found = byAgent.get(keyOf(agent));
      byAgent.delete(keyOf(agent));
      if (found !== undefined) await end(found.connection);
    },
    [Symbol.asyncDispose]: async () => {
      for (const [, { connection }] of byAgent) void end(connection);
      await Promise.allSettled(ending);
    },
  };
}

function keyOf({ agentId, namespace }: AgentName): string {
  return `${namespace}/${agentId}`;
}
