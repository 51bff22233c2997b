/** The health checks of docker compose and of the image, and the service `readiness`, run on the real programs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { freePort, type HubProcess, startHubProcess } from '../../support/hub/hub-process.ts';
import { startChroma } from '../../support/programs/chroma.ts';
import { startCollector } from '../../support/programs/collector.ts';
import { type Program, startProgram } from '../../support/programs/program.ts';
import { type Prometheus, startPrometheus } from '../../support/programs/prometheus.ts';
import { describeWith } from '../../support/programs/requirements.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFile(join(root, path), 'utf8');

/** The programs that no registry has, each with the path at which it says that it is ready. */
const absent = { 'tempo:3200': '/ready', 'loki:3100': '/ready', 'grafana:3000': '/api/health' };

const serviceSchema = z.looseObject({
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  entrypoint: z.array(z.string()).optional(),
});

describeWith(['alertmanager', 'busybox', 'chroma', 'otelcol', 'prometheus'], 'the stack', () => {
  const parts = new AsyncDisposableStack();
  let services: Record<string, z.infer<typeof serviceSchema>>;
  let prometheus: Prometheus;
  let alertmanager: Program;
  let hub: HubProcess;
  /** Where each service of docker compose is here. */
  const places: Record<string, string> = {};

  beforeAll(async () => {
    const text = await read('docker-compose.yml');
    services = z.object({ services: z.record(z.string(), serviceSchema) }).parse(parse(text, { merge: true })).services;
    const folder = await mkdtemp(join(tmpdir(), 'hestia-health-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    places['prometheus:9090'] = await started(startPrometheus({ targets: {} }), (program) => {
      prometheus = program;
      return new URL(program.url).host;
    });
    places['alertmanager:9093'] = `127.0.0.1:${await freePort()}`;
    alertmanager = parts.use(
      await startProgram({
        command: 'prometheus-alertmanager',
        args: [
          `--config.file=${join(root, 'grafana/alertmanager.yaml')}`,
          `--storage.path=${folder}`,
          '--cluster.listen-address=',
          `--web.listen-address=${places['alertmanager:9093']}`,
        ],
        readyUrl: `http://${places['alertmanager:9093']}/-/ready`,
      }),
    );
    places['otel-collector:13133'] = `127.0.0.1:${await freePort()}`;
    parts.use(await startCollector({ COLLECTOR_HEALTH_ADDRESS: places['otel-collector:13133'] }));
    places['chroma:8000'] = await started(startChroma(), ({ url }) => new URL(url).host);
    places['hestia:7420'] = await started(startHubProcess(), (process) => {
      hub = process;
      return new URL(process.url).host;
    });
    await hub.ready();
  });
  afterAll(() => parts.disposeAsync());

  async function started<Part extends AsyncDisposable>(part: Promise<Part>, hostOf: (part: Part) => string) {
    return hostOf(parts.use(await part));
  }
  const here = (text: string) =>
    Object.entries(places).reduce((changed, [service, host]) => changed.replaceAll(service, host), text);

  /** Runs a health check on a service here: the command of the image, whose `wget` is BusyBox's. */
  async function healthOf(name: string, port: number): Promise<number> {
    const [kind, command = '', ...args] = services[name]?.healthcheck?.test ?? [];
    expect([kind, command]).toEqual(['CMD', 'wget']);
    const local = args.map((arg) => arg.replace(`127.0.0.1:${port}`, places[`${name}:${port}`] ?? ''));
    expect(local).not.toEqual(args);
    return (await run('busybox', [command, ...local])).status;
  }

  test('has a readiness check that names what is not ready, and succeeds when all is', async () => {
    const [command = '', ...args] = services.readiness?.entrypoint ?? [];
    expect(command).toBe('node');
    const check = (script: string) => run(process.execPath, [...args.slice(0, -1), here(script.replaceAll('$$', '$'))]);
    const script = args.at(-1) ?? '';
    for (const service of Object.keys(absent)) places[service] = `127.0.0.1:${await freePort()}`;
    const { status, stdout } = await check(script);
    expect(stdout.trim().split('\n')).toEqual([
      'hestia: ready',
      'chroma: ready',
      'otel-collector: ready',
      'tempo: not ready (no answer)',
      'loki: not ready (no answer)',
      'prometheus: ready',
      'alertmanager: ready',
      'grafana: not ready (no answer)',
    ]);
    expect(status).toBe(1);
    const missing = Object.keys(absent).map((service) => service.split(':')[0]);
    for (const [service, path] of Object.entries(absent)) {
      const stand = createServer((request, response) => response.writeHead(request.url === path ? 200 : 404).end());
      parts.defer(() => void stand.close());
      await new Promise<void>((resolve) => stand.listen(Number(places[service]?.split(':')[1]), '127.0.0.1', resolve));
      missing.shift();
      const { status, stdout } = await check(script);
      const notReady = stdout.split('\n').filter((line) => line.includes('not ready'));
      expect(notReady).toEqual(missing.map((name) => `${name}: not ready (no answer)`));
      expect(status).toBe(missing.length === 0 ? 0 : 1);
    }
  });

  test('has health checks of Prometheus and Alertmanager that succeed, and fail once they stopped', async () => {
    expect([await healthOf('prometheus', 9090), await healthOf('alertmanager', 9093)]).toEqual([0, 0]);
    await prometheus.stop();
    await alertmanager.stop();
    expect(await healthOf('prometheus', 9090)).not.toBe(0);
    expect(await healthOf('alertmanager', 9093)).not.toBe(0);
  });

  test('has a health check of the hub that succeeds, and fails once it stopped', async () => {
    const words = /^HEALTHCHECK [^\n]*\\\n\s*CMD (\[.*\])$/m.exec(await read('Dockerfile'))?.[1] ?? '[]';
    const [command, ...args] = z.array(z.string()).parse(JSON.parse(words));
    expect(command).toBe('node');
    const check = () => run(process.execPath, args, { HESTIA_PORT: String(hub.port) });
    expect((await check()).status).toBe(0);
    hub.child.kill('SIGTERM');
    await hub.exited;
    expect((await check()).status).toBe(1);
  });
});

async function run(command: string, args: string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const [status] = await once(child, 'close');
  return { status: Number(status), stdout };
}
