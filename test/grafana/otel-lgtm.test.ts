/** The `docker run` line of docs/observe.md for grafana/otel-lgtm: what it mounts fits together as it does in docker compose. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const line = /^docker run (?:.*\\\n)*.*grafana\/otel-lgtm:\S+$/m.exec(read('docs/observe.md'))?.[0] ?? '';
const option = (name: string) =>
  [...line.matchAll(new RegExp(`${name} "?([^\\s"]+)"?`, 'g'))].map(([, value]) => value ?? '');
const mounts = new Map(
  option('-v').map((mount) => {
    const [source = '', target = ''] = mount.replace('$PWD/', '').split(':');
    return [target, source] as const;
  }),
);
const hosts = option('--add-host').map((entry) => entry.split(':')[0]);

/** Where the image reads, as its Dockerfile and its scripts say. */
const places = {
  collector: '/otel-lgtm/otelcol-config.yaml',
  prometheus: '/otel-lgtm/prometheus.yaml',
  dataSources: '/otel-lgtm/grafana/conf/provisioning/datasources/grafana-datasources.yaml',
  dashboards: '/otel-lgtm/grafana/conf/provisioning/dashboards/hestia.yaml',
  public: '/otel-lgtm/grafana/public/',
};

test('mounts what exists, read-only', () => {
  expect(mounts.size).toBe(8);
  for (const [target, source] of mounts) expect(existsSync(`${root}${source}`), `${source} at ${target}`).toBe(true);
  expect(option('-v').filter((mount) => !mount.endsWith(':ro'))).toEqual([]);
});

test('publishes on this machine only', () => {
  expect(option('-p')).toEqual(['127.0.0.1:3000:3000', '127.0.0.1:4318:4318']);
});

test('has the rules and targets of Prometheus beside its configuration, which names them relatively', () => {
  expect(mounts.get(places.prometheus)).toBe('grafana/prometheus.yaml');
  const named = [...read('grafana/prometheus.yaml').matchAll(/\b(rules|targets)\/[\w*-]+\.yaml/g)].map(
    ([, folder]) => folder,
  );
  expect(new Set(named)).toEqual(new Set(['rules', 'targets']));
  for (const folder of new Set(named)) expect(mounts.get(`/otel-lgtm/${folder}`)).toBe(`grafana/${folder}`);
});

test('gives each host of the collector, of the data sources and of the targets an address, but Alertmanager none', () => {
  const source = z.looseObject({ url: z.url() });
  const { datasources } = z
    .looseObject({ datasources: z.array(source) })
    .parse(parse(read(mounts.get(places.dataSources) ?? '')));
  const targets = ['hestia', 'otel-collector'].flatMap((name) =>
    z.array(z.object({ targets: z.array(z.string()) })).parse(parse(read(`grafana/targets/${name}.yaml`))),
  );
  const collector = [...read(mounts.get(places.collector) ?? '').matchAll(/_LOKI_URL:-(http:[^}]+)/g)].map(
    ([, url = '']) => url,
  );
  const used = [
    ...datasources.map(({ url }) => new URL(url).hostname),
    ...targets.flatMap(({ targets: addresses }) => addresses.map((address) => address.split(':')[0])),
    ...collector.map((url) => new URL(url).hostname),
  ];
  expect(new Set(used)).toEqual(new Set([...hosts, 'alertmanager']));
});

test('sets only variables that otel-collector.yaml reads, and a home board that is mounted', () => {
  const variables = Object.fromEntries(option('-e').map((entry) => entry.split('=')));
  const known = [...read('otel-collector.yaml').matchAll(/\$\{env:(\w+)/g)].map(([, name]) => name);
  const given = Object.keys(variables).filter((name) => name.startsWith('COLLECTOR_'));
  expect(known).toEqual(expect.arrayContaining(given));
  const provider = parse(read(mounts.get(places.dashboards) ?? '')).providers[0].options.path;
  const boards = mounts.get(provider) ?? '';
  expect(statSync(`${root}${boards}`).isDirectory()).toBe(true);
  const home = String(variables.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).replace(provider, boards);
  expect(existsSync(`${root}${home}`)).toBe(true);
});

test('serves the runbook where links of boards lead', () => {
  const page = [...mounts].find(([target]) => target.startsWith(places.public));
  expect(page).toEqual([`${places.public}hestia/runbook.html`, 'grafana/runbook.html']);
});
