/**
 * A receiver of signals that discards them, so that only the hub is measured.
 * It listens on the given port. The second argument is how it answers: `ok`, `503`, or `hang`, which never answers.
 */
import { createServer } from 'node:http';

const [, , port, manner = 'ok'] = process.argv;
/** The number of requests of each signal. */
const counts: Record<string, number> = {};

createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify(counts));
    return;
  }
  const signal = request.url?.split('/').at(-1) ?? '';
  counts[signal] = (counts[signal] ?? 0) + 1;
  request.resume();
  if (manner === 'hang') return;
  request.on('end', () => response.writeHead(manner === 'ok' ? 200 : 503).end());
}).listen(Number(port), '127.0.0.1');
