/** What Helm makes of the chart is valid Kubernetes. Values that the hub or the cluster would refuse are refused by name. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lintChart, renderedChart } from '../support/programs/helm.ts';
import { writeKubernetesSchemas } from '../support/programs/kubernetes-schemas.ts';
import { kubernetesTool } from '../support/programs/kubernetes-tools.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { everything, installations, sidecar } from './installations.ts';

/** The kinds that the chart makes, but for custom resources. */
const kinds = ['ConfigMap', 'Ingress', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret', 'Service', 'StatefulSet'];

describeWith(['helm', 'kubeconform'], 'an installation', () => {
  let folder: string;
  let schemas: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hestia-chart-'));
    schemas = writeKubernetesSchemas(folder, kinds);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const checked = (manifest: string) => {
    const args = ['-strict', '-summary', '-schema-location', schemas, '-'];
    return spawnSync(kubernetesTool('kubeconform'), args, { input: manifest, encoding: 'utf8' });
  };

  test.each(Object.entries(installations))('%s passes helm lint and is valid Kubernetes', (_name, values) => {
    const { status, stdout, stderr } = lintChart(values);
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
    const result = checked(renderedChart(values));
    expect(result.stdout).toMatch(/Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/);
    expect(result.status).toBe(0);
  });

  test.each([
    ['an unknown field of Kubernetes', 'replicas: 1', 'replica: 1', 'replica'],
    ['a wrong type', 'replicas: 1', 'replicas: one', 'replicas'],
    ['an unknown field of a custom resource', 'interval: 15s', 'intervall: 15s', 'intervall'],
  ])('with %s is not valid', (_name, right, wrong, named) => {
    const manifest = renderedChart(everything);
    expect(manifest).toContain(right);
    const { status, stdout } = checked(manifest.replace(right, wrong));
    expect(stdout).toContain(named);
    expect(status).toBe(1);
  });
});

describeWith('helm', 'values that are refused', () => {
  test.each([
    ['an unknown key', { persistance: {} }, 'persistance'],
    ['a wrong type', { service: { port: '7420' } }, '/service/port'],
    ['a number out of range', { service: { port: 0 } }, '/service/port'],
    [
      'two hubs where one may be away',
      { podDisruptionBudget: { maxUnavailable: 2 } },
      '/podDisruptionBudget/maxUnavailable',
    ],
    ['an address without a scheme', { collector: { url: 'otel-collector:4318' } }, '/collector/url'],
    ['a size that is none', { persistence: { size: 'much' } }, '/persistence/size'],
    ['a digest that is none', { image: { digest: 'latest' } }, '/image/digest'],
    ['a variable that the chart sets', { env: { HESTIA_PORT: '80' } }, '/env/HESTIA_PORT'],
    ['an unknown key of hestia.config.json', { config: { polices: {} } }, 'polices'],
    [
      'a value that the hub refuses',
      { config: { scheduler: { intervalHours: 5 } } },
      '/config/scheduler/intervalHours',
    ],
    ['two collectors', { collector: { sidecar, url: 'http://collector:4318' } }, 'collector.url'],
    ['a sidecar without Loki', { collector: { sidecar: { enabled: true, tempoUrl: 'http://tempo:4318' } } }, 'lokiUrl'],
    ['a monitor without a sidecar', { serviceMonitor: { enabled: true } }, 'serviceMonitor.enabled'],
    ['an ingress without a host', { ingress: { enabled: true } }, 'ingress.host'],
    ['two sources of secrets', { existingSecret: 'one', secret: { TOKEN: 'two' } }, 'secret'],
  ])('%s', (_name, values, named) => {
    expect(() => renderedChart(values)).toThrow(named);
  });
});
