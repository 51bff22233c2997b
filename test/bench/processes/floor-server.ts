/**
 * The floor: as little MCP server over Streamable HTTP as there can be. What a raw client takes to call it is R0, which
 * everything else is held against. Listens on the port given.
 */
import { echoServer } from './echo-server.ts';
import { serveSessions } from './session-server.ts';

serveSessions(Number(process.argv[2]), echoServer);
