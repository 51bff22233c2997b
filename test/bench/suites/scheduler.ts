/** The longest stall of the event loop by a cleanup of many rows, with a hub in this process. */
import { DatabaseSync } from 'node:sqlite';
import { startTestHub, type TestHub } from '../../support/hub/hub.ts';
import { longestStalls } from '../event-loop-stall.ts';
import { type Finding, figureFinding } from '../findings.ts';
import { quantile } from '../paired.ts';
import type { Suite } from '../suite.ts';

const rows = 10_000;
const dayMs = 86_400_000;

export const suite: Suite = {
  name: 'scheduler',
  about: 'a cleanup of 10,000 rows',
  async run({ isQuick, reportProgress }) {
    const stalls: number[] = [];
    const runs = isQuick ? 1 : 9;
    for (let run = 1; run <= runs; run += 1) {
      reportProgress(`cleanup ${run} of ${runs}`);
      stalls.push(await longestStall());
    }
    const [least, most] = [Math.min(...stalls), Math.max(...stalls)];
    const finding: Finding = figureFinding(
      'a cleanup of 10,000 rows, longest stall of the event loop',
      'ms',
      quantile(stalls, 0.5),
      `median of ${runs} runs from ${least.toFixed(1)} to ${most.toFixed(1)} ms`,
    );
    return [finding];
  },
};

/** The longest time between two turns of the event loop during a cleanup, in milliseconds. */
async function longestStall(): Promise<number> {
  await using hub = await startTestHub();
  seed(hub);
  const { longestMs } = await longestStalls(async () => {
    const response = await hub.operator.fetch('/v1/scheduler/run', { method: 'POST' });
    const text = await response.text();
    const report: { deletedCount?: number } = JSON.parse(text);
    if (report.deletedCount !== rows) throw new Error(`the cleanup answered ${text}`);
  });
  return longestMs;
}

/** Fills the hub's database with searches past their retention. */
function seed({ config }: TestHub): void {
  using database = new DatabaseSync(config.databaseFile);
  const long = Date.now() - 400 * dayMs;
  const search = database.prepare(
    `INSERT INTO searches (search_id, key_id, agent_id, namespace, query, source, scoring, shown, searched_at)
     VALUES (?, 'key', 'agent', 'default', 'a query of some words', 'all', 'lexical', '[]', ?)`,
  );
  database.exec('BEGIN');
  for (let row = 0; row < rows; row += 1) {
    search.run(`search_${row}`, long + row);
  }
  database.exec('COMMIT');
}
