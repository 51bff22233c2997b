/**
 * Starts a real Prometheus with grafana/prometheus.yaml and the rules of the repository, on a free port.
 * It differs from docker compose in its targets, and in how often it scrapes, evaluates and sends alerts.
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

/** One series of the result of an instant query. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** An alert that is pending or firing. */
export interface ActiveAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
  /** When its condition began to hold, as an RFC 3339 time. */
  activeAt: string;
}

/** A running Prometheus. Disposing it stops it and removes its data. */
export interface Prometheus extends AsyncDisposable {
  readonly url: string;
  /**
   * Runs an instant query, by default at the present. A scalar is one sample without labels.
   * @throws Error with the message of Prometheus if the query is not valid
   */
  query(expression: string, timeSeconds?: number): Promise<Sample[]>;
  alerts(): Promise<ActiveAlert[]>;
  /** The labels of the exemplars of the selected series in the last hour. */
  exemplars(expression: string): Promise<Record<string, string>[]>;
  /** Requests a path of its HTTP API and returns the parsed `data` of the response. */
  api(path: string): Promise<unknown>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Restarts it after a stop, with its data. */
  start(): Promise<void>;
}

/** How it differs from docker compose. */
export interface PrometheusOptions {
  /** Targets as `host:port`, by job. A job without targets is not scraped. */
  targets: { hestia?: string[]; 'otel-collector'?: string[]; alertmanager?: string[] };
  /** Rule files by name, instead of those of grafana/rules. */
  rules?: Record<string, string>;
  /** Seconds between scrapes and between evaluations, and the timeout of a scrape. */
  intervalSeconds?: number;
}

/** The default interval. */
export const scrapeSecondsDefault = 1;

/** Starts Prometheus and waits until it is ready. */
export async function startPrometheus({
  targets,
  rules,
  intervalSeconds = scrapeSecondsDefault,
}: PrometheusOptions): Promise<Prometheus> {
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
        // By default, an alert that fired before Alertmanager was discovered is not sent again for a minute.
        `--rules.alert.resend-delay=${intervalSeconds}s`,
      ],
      readyUrl: `${url}/-/ready`,
    });
  let program: Program = await start();
  const api = (path: string) => request(`${url}/api/v1/${path}`);
  return {
    url,
    api,
    query: async (expression, timeSeconds) => {
      const time = timeSeconds === undefined ? {} : { time: `${timeSeconds}` };
      return samples(await api(`query?${new URLSearchParams({ query: expression, ...time })}`));
    },
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
  for (const [name, content] of Object.entries(rules ?? (await repositoryRules()))) {
    await writeFile(join(folder, 'rules', name), content);
  }
}

/** Reads the rule files of the repository, by name. */
async function repositoryRules(): Promise<Record<string, string>> {
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
  alerts: z.array(
    z.object({
      labels: labelsSchema,
      annotations: labelsSchema,
      state: z.enum(['pending', 'firing']),
      activeAt: z.string(),
    }),
  ),
});
const exemplarsSchema = z.array(z.object({ exemplars: z.array(z.object({ labels: labelsSchema })) }));

function samples(data: unknown): Sample[] {
  const answer = resultSchema.parse(data);
  if (answer.resultType === 'scalar') return [{ labels: {}, value: Number(answer.result[1]) }];
  return answer.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
