/** Servers with many tools in one process, each at `/<from>/<count>` of the given port. */
import { manyToolsServer } from '../many-tools.ts';
import { serveSessions } from './session-server.ts';

serveSessions(Number(process.argv[2]), (path) => {
  const [from = 0, count = 0] = path.split('/').slice(1).map(Number);
  return manyToolsServer(from, count);
});
