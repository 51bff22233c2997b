/** Firing alerts reach Alertmanager, which suppresses an alert that another one explains. */
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

/** Rules that fire at once. */
const alwaysFiring = (...alerts: string[]) => ({
  'always.yaml': JSON.stringify({
    groups: [{ name: 'always', rules: alerts.map((alert) => ({ alert, expr: 'vector(1)' })) }],
  }),
});

describeWith(['alertmanager', 'prometheus'], 'alerts that fire', () => {
  test('reach Alertmanager; a hub is not reported as down while the collector is down', async () => {
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
    const rules = alwaysFiring('HestiaCollectorDown', 'HestiaHubDown', 'HestiaStorageFailing');
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
      { timeout: 60_000, interval: 200 },
    );
  });
});
