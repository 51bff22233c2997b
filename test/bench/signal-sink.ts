/**
 * A receiver of signals that reads and discards, so that what is measured is the hub. Listens on the port given; the second
 * argument is how it answers: `ok`, `503`, or `hang`, which never answers.
 */
import { createServer } from 'node:http';

const [, , port, manner = 'ok'] = process.argv;
createServer((request, response) => {
  if (request.method === 'GET') {
    response.end();
    return;
  }
  request.resume();
  if (manner === 'hang') return;
  request.on('end', () => response.writeHead(manner === 'ok' ? 200 : 503).end());
}).listen(Number(port), '127.0.0.1');
