/**
 * A minimal MCP server over Streamable HTTP, as the baseline of calls.
 * A direct call to it is R0, with which everything else is compared. It listens on the given port.
 */
import { echoServer } from './echo-server.ts';
import { serveSessions } from './session-server.ts';

serveSessions(Number(process.argv[2]), echoServer);
