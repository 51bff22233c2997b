/** What Prometheus sees firing reaches Alertmanager, which keeps silent where one alert explains another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../support/hub/hub-process.ts';
import { startProgram } from '../../support/programs/program.ts';
import { startPrometheus } from '../../support/programs/prometheus.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const configuration = fileURLToPath(new URL('../../../grafana/alertmanager.yaml', import.meta.url));

const alertsSchema = z.array(
  z.object({ labels: z.record(z.string(), z.string()), status: z.object({ state: z.string() }) }),
);

/** Rules whose conditions hold at once. */
const always = (...alerts: string[]) => ({
  'always.yaml': JSON.stringify({
    groups: [{ name: 'always', rules: alerts.map((alert) => ({ alert, expr: 'vector(1)' })) }],
  }),
});

describeWith(['alertmanager', 'prometheus'], 'alerts that fire', () => {
  test('reach Alertmanager; a hub is not called down where the collector is', async () => {
    await using parts = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'hestia-alertmanager-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const address = `127.0.0.1:${await freePort()}`;
    const storage = [`--storage.path=${folder}`, '--cluster.listen-address='];
    parts.use(
      await startProgram({
        command: 'prometheus-alertmanager',
        args: [`--config.file=${configuration}`, `--web.listen-address=${address}`, ...storage],
        readyUrl: `http://${address}/-/ready`,
      }),
    );
    const rules = always('HestiaCollectorDown', 'HestiaHubDown', 'HestiaStorageFailing');
    parts.use(await startPrometheus({ targets: { alertmanager: [address] }, rules }));
    await vi.waitFor(
      async () => {
        const answer = await fetch(`http://${address}/api/v2/alerts`);
        const alerts = alertsSchema.parse(await answer.json());
        expect(Object.fromEntries(alerts.map(({ labels, status }) => [labels.alertname, status.state]))).toEqual({
          HestiaCollectorDown: 'active',
          HestiaHubDown: 'suppressed',
          HestiaStorageFailing: 'active',
        });
      },
      { timeout: 15_000, interval: 200 },
    );
  });
});
