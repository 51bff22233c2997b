/** Checks of `hestia doctor` of what search uses: a Chroma server and a service for embeddings. */
import { z } from 'zod';
import { systemErrorCode } from '../../flow/system-error.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import type { EmbeddingsConfiguration } from '../../shapes/configuration/search.ts';
import { type Finding, ok } from './diagnosis.ts';

const timeoutMs = 5000;
/** The most bytes of an answer that are read. */
const answerBytesMax = 4_194_304;
const collectionsMax = 1000;
/** The collections of hubs in Chroma's default tenant and database. */
const collectionsPath = `/api/v2/tenants/default_tenant/databases/default_database/collections?limit=${collectionsMax}`;
const collectionPrefix = 'hestia-';

const chromaMend = 'start Chroma, or correct HESTIA_CHROMA_URL; unset it to keep vectors in the process';
const endpointMend = 'correct HESTIA_EMBEDDINGS_URL; unset it to use the model of the repository';

/** Checks both, as the configuration names them. Sends one short text to a service for embeddings. */
export async function searchFindings({ search: { chromaUrl, embeddings } }: Config): Promise<Finding[]> {
  return Promise.all([
    ...(chromaUrl === undefined ? [] : [chromaFinding(chromaUrl.replace(/\/$/, ''))]),
    ...(embeddings.kind === 'endpoint' ? [embeddingsFinding(embeddings)] : []),
  ]);
}

/** The heartbeat, the version, and the collections of hubs. */
async function chromaFinding(url: string): Promise<Finding> {
  const check = 'chroma';
  const failed = (found: string): Finding => ({ check, state: 'failed', found, mend: chromaMend });
  const heartbeat = await answerOf(`${url}/api/v2/heartbeat`);
  if ('fault' in heartbeat) return failed(`${url} ${heartbeat.fault}`);
  if (!heartbeatSchema.safeParse(heartbeat.body).success) return failed(`${url} does not answer as Chroma does`);
  const version = await answerOf(`${url}/api/v2/version`);
  const named = 'body' in version && typeof version.body === 'string' ? `Chroma ${version.body}` : 'Chroma';
  const collections = await answerOf(`${url}${collectionsPath}`);
  if ('fault' in collections) return failed(`${named} at ${url} lists no collections: ${collections.fault}`);
  const listed = collectionsSchema.safeParse(collections.body);
  if (!listed.success) return failed(`${named} at ${url} lists no collections: an unknown answer`);
  const names = listed.data.map(({ name }) => name).filter((name) => name.startsWith(collectionPrefix));
  const found = `${named} answers at ${url}; collections of hubs: ${names.toSorted().join(', ') || 'none yet'}`;
  return ok(check, found);
}

const heartbeatSchema = z.record(z.string().regex(/heartbeat/), z.number());
const collectionsSchema = z.array(z.object({ name: z.string() }));
const vectorsSchema = z.object({ data: z.array(z.object({ embedding: z.array(z.number()).min(1) })).min(1) });

async function embeddingsFinding({
  url,
  model,
  key,
}: Extract<EmbeddingsConfiguration, { kind: 'endpoint' }>): Promise<Finding> {
  const check = 'embeddings';
  const { origin, pathname } = new URL(url);
  const address = `${origin}${pathname}`;
  const answer = await answerOf(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, input: ['hestia doctor'], encoding_format: 'float' }),
  });
  if ('fault' in answer) {
    const mend = mends.get(answer.status ?? 0) ?? endpointMend;
    return { check, state: 'failed', found: `${address} ${answer.fault}, asked for ${model}`, mend };
  }
  const vectors = vectorsSchema.safeParse(answer.body);
  const dimensions = vectors.data?.data[0]?.embedding.length;
  if (dimensions !== undefined) return ok(check, `${model} at ${address} has ${dimensions} dimensions`);
  const found = `${address} does not answer as an embeddings service does`;
  return { check, state: 'failed', found, mend: endpointMend };
}

/** What mends a refusal, by its status. */
const mends = new Map([
  [400, 'correct HESTIA_EMBEDDINGS_MODEL: name a model that the service has'],
  [401, 'set HESTIA_EMBEDDINGS_KEY to a valid key of the service'],
  [403, 'set HESTIA_EMBEDDINGS_KEY to a key of the service that may use the model'],
  [404, 'correct HESTIA_EMBEDDINGS_MODEL, or the path of HESTIA_EMBEDDINGS_URL'],
  [429, 'wait, or raise the limits of the key at the service'],
]);

type Answer = { body: unknown } | { fault: string; status?: number };

/** Requests JSON. Follows no redirect, which could send a key to another address. */
async function answerOf(url: string, request: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    const text = await textOf(response);
    if (!response.ok) return { fault: `answers with status ${response.status}`, status: response.status };
    return { body: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { body: undefined };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${timeoutMs} ms` : (systemErrorCode(cause) ?? 'the connection failed');
    return { fault: `cannot be reached (${why})` };
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
