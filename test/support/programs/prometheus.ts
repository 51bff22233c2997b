/**
 * A real Prometheus with the repository's grafana/prometheus.yaml and rules, on a free port. Only two things differ
 * from docker compose: the targets, and how often it scrapes, evaluates and sends alerts.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { freePort } from '../hub/hub-process.ts';
import { type Program, startProgram } from './program.ts';

const grafanaFolder = fileURLToPath(new URL('../../../grafana', import.meta.url));

/** One series of an instant query's answer. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** An alert that is pending or firing. */
export interface ActiveAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
}

/** A Prometheus. Disposing it ends it and removes its data. */
export interface Prometheus extends AsyncDisposable {
  readonly url: string;
  /** An instant query at the present; a scalar is one sample without labels. Throws what Prometheus says is wrong with it. */
  query(expression: string): Promise<Sample[]>;
  alerts(): Promise<ActiveAlert[]>;
  /** The exemplars' labels for the series that a query names, of the last hour. */
  exemplars(expression: string): Promise<Record<string, string>[]>;
  /** Any path of its HTTP API: the parsed `data` of the answer. */
  api(path: string): Promise<unknown>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again after a stop, with the data it had. */
  start(): Promise<void>;
}

/** What differs from docker compose. */
export interface PrometheusOptions {
  /** `host:port`s by job; a job without any is not scraped. */
  targets: { hestia?: string[]; 'otel-collector'?: string[]; alertmanager?: string[] };
  /** Rule files by name instead of those of grafana/rules. */
  rules?: Record<string, string>;
  /** Seconds between scrapes and between evaluations. */
  intervalSeconds?: number;
}

/** Starts it and waits until it is ready. */
export async function startPrometheus({ targets, rules, intervalSeconds = 1 }: PrometheusOptions): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-prometheus-'));
  await writeConfiguration({ folder, targets, rules, intervalSeconds });
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const start = () =>
    startProgram({
      command: 'prometheus',
      args: [
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--enable-feature=exemplar-storage',
        // An alert that fired before Alertmanager was found is not sent again for a minute by default.
        `--rules.alert.resend-delay=${intervalSeconds}s`,
      ],
      readyUrl: `${url}/-/ready`,
    });
  let program: Program = await start();
  const api = (path: string) => request(`${url}/api/v1/${path}`);
  return {
    url,
    api,
    query: async (expression) => samples(await api(`query?${new URLSearchParams({ query: expression })}`)),
    alerts: async () => alertsSchema.parse(await api('alerts')).alerts,
    exemplars: async (expression) => {
      const now = Date.now() / 1000;
      const range = { query: expression, start: `${now - 3600}`, end: `${now}` };
      return exemplarsSchema
        .parse(await api(`query_exemplars?${new URLSearchParams(range)}`))
        .flatMap((series) => series.exemplars.map((exemplar) => exemplar.labels));
    },
    stop: (signal) => program.stop(signal),
    start: async () => {
      program = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await program.stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeConfiguration(options: {
  folder: string;
  targets: PrometheusOptions['targets'];
  rules: Record<string, string> | undefined;
  intervalSeconds: number;
}): Promise<void> {
  const { folder, targets, rules, intervalSeconds } = options;
  const text = await readFile(join(grafanaFolder, 'prometheus.yaml'), 'utf8');
  const quicker = text.replaceAll(/^( {2}(?:scrape|evaluation)_interval): .*$/gm, `$1: ${intervalSeconds}s`);
  await writeFile(join(folder, 'prometheus.yaml'), quicker);
  await mkdir(join(folder, 'targets'));
  for (const [job, addresses] of Object.entries(targets)) {
    await writeFile(join(folder, 'targets', `${job}.yaml`), JSON.stringify([{ targets: addresses }]));
  }
  await mkdir(join(folder, 'rules'));
  for (const [name, content] of Object.entries(rules ?? (await ownRules()))) {
    await writeFile(join(folder, 'rules', name), content);
  }
}

/** The rule files of the repository, by name. */
async function ownRules(): Promise<Record<string, string>> {
  const folder = join(grafanaFolder, 'rules');
  const names = existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith('.yaml')) : [];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  );
}

const answerSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

async function request(url: string): Promise<unknown> {
  const answer = answerSchema.parse(await (await fetch(url)).json());
  if (answer.status === 'error') throw new Error(answer.error);
  return answer.data;
}

const labelsSchema = z.record(z.string(), z.string());
const valueSchema = z.tuple([z.number(), z.string()]);
const resultSchema = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: labelsSchema, value: valueSchema })),
  }),
  z.object({ resultType: z.literal('scalar'), result: valueSchema }),
]);
const alertsSchema = z.object({
  alerts: z.array(z.object({ labels: labelsSchema, annotations: labelsSchema, state: z.enum(['pending', 'firing']) })),
});
const exemplarsSchema = z.array(z.object({ exemplars: z.array(z.object({ labels: labelsSchema })) }));

function samples(data: unknown): Sample[] {
  const answer = resultSchema.parse(data);
  if (answer.resultType === 'scalar') return [{ labels: {}, value: Number(answer.result[1]) }];
  return answer.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
