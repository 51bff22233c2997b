/**
 * Floods the hub from a thread of its own, so that it does not delay what the test measures. `workerData` has the address, the
 * secret of the key and the number of connections; the messages `start` and `stop` begin and end the flood.
 */
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

const { port, secret, path, body, connections } = z
  .object({ port: z.int(), secret: z.string(), path: z.string(), body: z.string(), connections: z.int() })
  .parse(workerData);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const headers = {
  authorization: `Bearer ${secret}`,
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
};

let isOn = false;
let answered = 0;

function send(): Promise<void> {
  return new Promise((resolve) => {
    const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume();
      response.on('close', resolve);
    });
    sent.on('error', () => resolve());
    sent.end(body);
  });
}

async function flood(): Promise<void> {
  while (isOn) {
    await send();
    answered += 1;
  }
}

parentPort?.on('message', (message) => {
  if (message === 'start') {
    isOn = true;
    for (let at = 0; at < connections; at += 1) void flood();
  } else {
    isOn = false;
    parentPort?.postMessage(answered);
    answered = 0;
  }
});
