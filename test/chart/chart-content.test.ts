/** What the chart installs: the repository's rules, boards and collector, a configuration the hub starts with, no privileges. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { boardFiles } from '../../grafana/dashboards/boards.ts';
import { scrapeJobs } from '../../grafana/rules/promql.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfigFile } from '../support/hub/config-loading.ts';
import { type ChartObject, chartObject, chartObjects } from '../support/programs/helm.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { elsewhere, everything } from './installations.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const dataSchema = z.looseObject({ data: z.record(z.string(), z.string()) });
const dataOf = (object: ChartObject) => dataSchema.parse(object).data;
const variables = z.array(z.object({ name: z.string(), value: z.string() }));
const containerSchema = z.looseObject({ name: z.string(), env: variables, securityContext: z.looseObject({}) });
const podSchema = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({ spec: z.looseObject({ containers: z.array(containerSchema) }) }),
  }),
});
const podOf = (objects: ChartObject[]) => podSchema.parse(chartObject(objects, 'StatefulSet')).spec.template.spec;
const variablesOf = (objects: ChartObject[], container: string) => {
  const found = podOf(objects).containers.find(({ name }) => name === container);
  return Object.fromEntries((found?.env ?? []).map(({ name, value }) => [name, value]));
};
const ruleGroups = (path: string) => z.object({ groups: z.array(z.unknown()) }).parse(parse(read(path))).groups;

describe('the chart', () => {
  test('has the version of the package', () => {
    const { version } = packageJson;
    expect(parse(read('chart/Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  test('runs the collector of docker compose', () => {
    const { image } = parse(read('docker-compose.yml'), { merge: true }).services['otel-collector'];
    expect(parse(read('chart/values.yaml')).collector.sidecar.image).toBe(image);
  });
});

describeWith('helm', 'an installation with everything', () => {
  let objects: ChartObject[];
  beforeAll(() => {
    objects = chartObjects(everything);
  });

  test('has the rules of grafana/rules, and no others', () => {
    const rules = [...ruleGroups('grafana/rules/recording.yaml'), ...ruleGroups('grafana/rules/alerts.yaml')];
    expect(rules.length).toBeGreaterThan(5);
    expect(chartObject(objects, 'PrometheusRule')).toMatchObject({ spec: { groups: rules } });
  });

  test('has each board of grafana/dashboards, where the sidecar of Grafana finds it', () => {
    const maps = objects.filter(({ metadata }) => metadata.labels.grafana_dashboard === '1');
    const boards = Object.fromEntries(maps.flatMap((map) => Object.entries(dataOf(map))));
    const files = boardFiles().map(({ path }) => [path.replace('grafana/dashboards/', ''), JSON.parse(read(path))]);
    expect(mapValues(boards, (text) => JSON.parse(text))).toEqual(Object.fromEntries(files));
    expect(maps[0]?.metadata).toMatchObject({ namespace: 'monitoring', annotations: { grafana_folder: 'Hestia' } });
  });

  test('runs the collector with otel-collector.yaml, and sets only variables that it reads', () => {
    const configuration = dataOf(chartObject(objects, 'ConfigMap', '-collector'))['otel-collector.yaml'] ?? '';
    expect(parse(configuration)).toEqual(parse(read('otel-collector.yaml')));
    const known = [...configuration.matchAll(/\$\{env:(\w+)/g)].map(([, name]) => name);
    const { GOMEMLIMIT, ...given } = variablesOf(objects, 'otel-collector');
    // Four fifths of 512Mi.
    expect(GOMEMLIMIT).toBe('409MiB');
    expect(known).toEqual(expect.arrayContaining(Object.keys(given)));
    expect(given).toMatchObject({
      COLLECTOR_TEMPO_URL: 'http://tempo.monitoring:4318',
      COLLECTOR_LOKI_URL: 'http://loki.monitoring:3100/otlp',
      COLLECTOR_TRACE_SHARE_PERCENT: '100',
    });
    expect(variablesOf(objects, 'hestia').OTEL_EXPORTER_OTLP_ENDPOINT).toBe(
      `http://${given.COLLECTOR_OTLP_HTTP_ADDRESS}`,
    );
  });

  test('keeps its data and the queue of its collector, and is probed where the hub answers without a key', () => {
    const claims = ['data', 'queue'].map((name) => ({ metadata: { name } }));
    expect(chartObject(objects, 'StatefulSet')).toMatchObject({ spec: { volumeClaimTemplates: claims } });
    expect(podOf(objects).containers).toMatchObject([
      {
        startupProbe: { httpGet: { path: '/livez', port: 'http' } },
        livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
        ports: [{ name: 'http', containerPort: 7420 }],
      },
      { livenessProbe: { httpGet: { path: '/', port: 'health' } } },
    ]);
  });

  test('is scraped under the jobs that rules and boards rely on', () => {
    const endpoint = z.looseObject({
      port: z.string(),
      honorLabels: z.boolean().optional(),
      relabelings: z.array(z.looseObject({ targetLabel: z.string().optional(), replacement: z.string().optional() })),
    });
    const monitor = z.looseObject({ spec: z.looseObject({ endpoints: z.array(endpoint) }) });
    const { endpoints } = monitor.parse(chartObject(objects, 'ServiceMonitor')).spec;
    const jobs = endpoints.map(({ port, relabelings, honorLabels }) => ({
      port,
      honorLabels,
      job: relabelings.find(({ targetLabel }) => targetLabel === 'job')?.replacement,
    }));
    expect(jobs).toEqual([
      { port: 'hub-metrics', honorLabels: true, job: scrapeJobs.hub },
      { port: 'own-metrics', honorLabels: undefined, job: scrapeJobs.collector },
    ]);
    expect(chartObject(objects, 'Service', '-metrics')).toMatchObject({
      spec: {
        ports: [
          { name: 'hub-metrics', port: 9464 },
          { name: 'own-metrics', port: 8888 },
        ],
      },
    });
  });

  test('has a configuration that the hub starts with, which answers to the names of Service and Ingress', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hestia-chart-'));
    try {
      const text = dataOf(chartObject(objects, 'ConfigMap'))['hestia.config.json'];
      const { HESTIA_CONFIG, ...environment } = variablesOf(objects, 'hestia');
      expect(HESTIA_CONFIG).toBe('/etc/hestia/hestia.config.json');
      const config = await loadConfigFile(folder, text, { ...environment, SEARCH_TOKEN: 'a-secret' });
      expect(Object.keys(config.servers)).toEqual(['search']);
      expect(config.policy.allowedHosts).toEqual([
        'hub.example',
        'hestia',
        'hestia.agents',
        'hestia.agents.svc',
        'hestia.agents.svc.cluster.local',
        'hestia.example',
      ]);
      expect(config.policy.allowedOrigins).toEqual(['hestia.example']);
      expect(config.telemetry.resourceAttributes['deployment.environment.name']).toBe('production');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('has its secrets in the Secret alone', () => {
    const holders = objects.filter((object) => JSON.stringify(object).includes('a-secret'));
    expect(holders.map(({ kind }) => kind)).toEqual(['Secret']);
    expect(podOf(objects).containers[0]).toMatchObject({ envFrom: [{ secretRef: { name: 'hestia' } }] });
  });

  test('gives no container a privilege, a writable root, or an account of Kubernetes', () => {
    const pod = podOf(objects);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.containers.map(({ name }) => name)).toEqual(['hestia', 'otel-collector']);
    for (const { name, securityContext } of pod.containers) {
      expect(securityContext, name).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('is reached by those whom the policy names, at the ports of requests and metrics alone', () => {
    const { from, metricsFrom, egress } = everything.networkPolicy;
    const dns = {
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 53, protocol: 'TCP' },
      ],
    };
    const metrics = [
      { port: 'hub-metrics', protocol: 'TCP' },
      { port: 'own-metrics', protocol: 'TCP' },
    ];
    expect(chartObject(objects, 'NetworkPolicy')).toMatchObject({
      spec: {
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          { ports: [{ port: 'http', protocol: 'TCP' }], from },
          { ports: metrics, from: metricsFrom },
        ],
        egress: [dns, ...egress],
      },
    });
  });
});

describeWith('helm', 'an installation with a collector and a secret that exist', () => {
  test('sends to that collector and reads that secret; its alerts and boards name the given runbook', () => {
    const objects = chartObjects(elsewhere);
    expect(variablesOf(objects, 'hestia').OTEL_EXPORTER_OTLP_ENDPOINT).toBe(elsewhere.collector.url);
    const { containers } = podOf(objects);
    expect(containers).toMatchObject([{ envFrom: [{ secretRef: { name: 'hestia-secrets' } }] }]);
    expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
    for (const object of [chartObject(objects, 'PrometheusRule'), chartObject(objects, 'ConfigMap', '-overview')]) {
      expect(JSON.stringify(object)).toContain('https://wiki.example/hestia');
      expect(JSON.stringify(object)).not.toContain('public/hestia');
    }
  });
});

describeWith('helm', 'an installation without values', () => {
  test('keeps its data, has a budget and a policy, and nothing that needs more than Kubernetes', () => {
    const objects = chartObjects({});
    const kinds = objects.map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual(['ConfigMap', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'StatefulSet']);
    expect(chartObject(objects, 'StatefulSet')).toMatchObject({
      spec: { replicas: 1, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
    });
    expect(variablesOf(objects, 'hestia').OTEL_SDK_DISABLED).toBe('true');
  });
});

function mapValues(values: Record<string, string>, change: (value: string) => unknown) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
