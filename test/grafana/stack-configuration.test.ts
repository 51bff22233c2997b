/** The files that Prometheus and Alertmanager start with, checked by their own tools. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeWith } from '../support/programs/requirements.ts';

const path = (name: string) => fileURLToPath(new URL(`../../grafana/${name}`, import.meta.url));

describeWith('promtool', 'grafana/prometheus.yaml', () => {
  test('is what Prometheus takes, with its rules and targets', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', path('prometheus.yaml')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describeWith('amtool', 'grafana/alertmanager.yaml', () => {
  test('is what Alertmanager takes', () => {
    const { status, stdout } = spawnSync('amtool', ['check-config', path('alertmanager.yaml')], { encoding: 'utf8' });
    expect(stdout).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});
