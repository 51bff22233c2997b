/** The console: the time of its pages with 1,000,000 records in the trail, and what ten open consoles cost calls. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HubProcess } from '../../support/hub/hub-process.ts';
import { waitFor } from '../../support/wait-for.ts';
import { echoOverStdio, hubLoader, startBenchHub } from '../bench-hub.ts';
import { type Finding, figureFinding, ratioFinding } from '../findings.ts';
import { cpuMs } from '../load.ts';
import { quantile, type Subject } from '../paired.ts';
import type { Suite, SuiteContext } from '../suite.ts';

export const suite: Suite = {
  name: 'console',
  about: 'pages of the console with 1,000,000 records, and calls with ten consoles open',
  async run(context) {
    return [...(await pageTimes(context)), ...(await openConsoles(context))];
  },
};

/** Pages of a trail with these records. `{seq}` is in its middle. */
const pages = [
  '/',
  '/console/servers',
  '/console/servers/echo',
  '/console/tools',
  '/console/tools?query=echo%20a%20text',
  '/console/tools/echo/echo',
  '/console/skills',
  '/console/skills?query=nothing&warnings=some',
  '/console/activity',
  '/console/activity?agent=agent-3',
  '/console/activity?event=ACCESS_DENIED',
  '/console/activity?outcome=timeout',
  '/console/activity?agent=agent-3&outcome=timeout',
  '/console/activity?tool=server-3/tool-3',
  '/console/activity?server=server-3&outcome=error',
  '/console/activity?since=12h&until=11h',
  '/console/activity?agent=nobody',
  '/console/activity?order=oldest',
  '/console/activity?trace=00000000000000000000000000000001',
  '/console/activity/{seq}',
  '/console/activity/{seq}/proof',
  '/console/quarantine',
  '/console/quarantine?query=nothing',
  '/console/search-quality',
  '/console/keys',
  '/console/keys?query=nothing&state=expiring',
  '/console/connect',
  '/console/scheduler',
  '/console/scheduler?result=failed&since=7d',
];

/** How often each page is read. */
const reads = 40;

async function pageTimes({ isQuick, reportProgress }: SuiteContext): Promise<Finding[]> {
  const records = isQuick ? 5000 : 1_000_000;
  reportProgress(`a hub with ${records.toLocaleString('en')} records starts`);
  await using hub = await startBenchHub({ servers: { echo: echoOverStdio }, trail: 'filled', records });
  await waitFor(() => expectRecords(hub, records), fillMsMax);
  const cookie = await signIn(hub);
  const found: { page: string; p95Ms: number; usedMs: number }[] = [];
  const times = isQuick ? 2 : reads;
  for (const page of pages) {
    const path = page.replace('{seq}', String(records / 2));
    const timesMs: number[] = [];
    const usedBefore = cpuMs(hub.child.pid ?? 0);
    for (let read = 0; read < times; read += 1) timesMs.push(await readPage(hub, path, cookie));
    found.push({ page, p95Ms: quantile(timesMs, 0.95), usedMs: (cpuMs(hub.child.pid ?? 0) - usedBefore) / times });
  }
  const slowest = found.toSorted((a, b) => b.p95Ms - a.p95Ms);
  const detail = slowest.slice(0, 3).map(({ page, p95Ms }) => `${page} ${p95Ms.toFixed(1)} ms`);
  const name = 'a page of the console at 1,000,000 records, p95 of the slowest';
  return [
    figureFinding(name, 'ms', slowest[0]?.p95Ms ?? Number.NaN, detail.join(', ')),
    ...found.map(({ page, p95Ms, usedMs }) =>
      figureFinding(`${page} at 1,000,000 records, p95`, 'ms', p95Ms, `${usedMs.toFixed(1)} ms of CPU`),
    ),
  ];
}

/** How long the trail may take to have its records, in milliseconds. */
const fillMsMax = 1_800_000;

/** @throws Error while the views have fewer records */
async function expectRecords(hub: HubProcess, records: number): Promise<void> {
  await delay(1000);
  const { items } = JSON.parse(await (await hub.fetch('/v1/audit/events?order=newest&limit=1')).text());
  if (!(items?.[0]?.seq >= records)) throw new Error(`the trail has ${items?.[0]?.seq} records`);
}

/** The time from the request to the end of the response, in milliseconds. */
async function readPage({ url }: HubProcess, path: string, cookie: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url + path, { headers: { cookie }, redirect: 'manual' });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return performance.now() - startedAt;
}

/** Signs in, and returns the cookie of the session. */
async function signIn(hub: HubProcess): Promise<string> {
  const body = new URLSearchParams({ key: hub.key() });
  const response = await fetch(`${hub.url}/console/sign-in`, { method: 'POST', body, redirect: 'manual' });
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
  if (cookie === undefined) throw new Error(`the sign-in answered ${response.status}`);
  return cookie;
}

const consolesOpen = 10;
/** The shortest slice, in milliseconds: an open console is updated each second. */
const sliceMsMin = 1500;

async function openConsoles({ paired }: SuiteContext): Promise<Finding[]> {
  await using owned = new AsyncDisposableStack();
  const hub = owned.use(await startBenchHub({ servers: { echo: echoOverStdio } }));
  const loader = owned.use(hubLoader(hub, 'echo'));
  const cookies: string[] = [];
  while (cookies.length < consolesOpen) cookies.push(await signIn(hub));
  const calls = loader.subject('no console', 1);
  const long: Subject = { ...calls, slice: (durationMs) => calls.slice(Math.max(durationMs, sliceMsMin)) };
  const watched: Subject = {
    name: 'ten consoles',
    slice: async (durationMs) => {
      await using _open = await openStreams(hub, cookies);
      return long.slice(durationMs);
    },
  };
  const run = await paired('calls with consoles open', [long, watched], { noiseMeasure: 'p50' });
  const finding = (measure: 'p50' | 'throughput' | 'cpu') =>
    ratioFinding(run, {
      name: `a call with ten consoles open against without, 1 in flight, ${measure}`,
      measure,
      subject: watched.name,
    });
  return [finding('p50'), finding('throughput'), finding('cpu')];
}

/** Opens the live stream of each session, and reads it until it is disposed. */
async function openStreams({ url }: HubProcess, cookies: readonly string[]): Promise<AsyncDisposable> {
  const closing = new AbortController();
  const headers = { accept: 'text/event-stream' };
  const open = (cookie: string) =>
    fetch(`${url}/console/live`, { headers: { ...headers, cookie }, signal: closing.signal });
  const responses = await Promise.all(cookies.map(open));
  const read = responses.map((response) => response.text().catch(() => undefined));
  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all(read);
    },
  };
}
