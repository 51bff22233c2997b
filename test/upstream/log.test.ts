/** Lines about servers: repeats are left out, and counted in a later line. */
import { expect, test } from 'vitest';
import { limitRepeatedLines, type UpstreamLogFields } from '../../src/upstream/log.ts';

function logUnderTest() {
  const lines: [string, UpstreamLogFields | undefined][] = [];
  const write = (message: string, fields?: UpstreamLogFields) => void lines.push([message, fields]);
  const clock = { ms: 0 };
  const log = limitRepeatedLines({ debug: write, info: write, warn: write, error: write }, () => clock.ms);
  return { lines, clock, log };
}

test('a line about a server that repeats is written ten times a minute, and the next minute says how many were left out', () => {
  const { lines, clock, log } = logUnderTest();
  for (let times = 0; times < 25; times += 1) log.warn('Tools were refused', { server_id: 'files' });
  log.warn('Tools were refused', { server_id: 'mail' });
  log.info('It is connected', { server_id: 'files' });
  expect(lines).toHaveLength(12);
  clock.ms += 60_000;
  log.warn('Tools were refused', { server_id: 'files' });
  expect(lines.at(-1)).toEqual(['Tools were refused', { server_id: 'files', lines_left_out: 15 }]);
});

test('local lines, errors and debug lines are never left out', () => {
  const { lines, log } = logUnderTest();
  for (let times = 0; times < 20; times += 1) {
    log.info('It wrote', { server_id: 'files' }, { local: true });
    log.error('It failed', { server_id: 'files' });
    log.debug('It was listed', { server_id: 'files' });
  }
  expect(lines).toHaveLength(60);
});
