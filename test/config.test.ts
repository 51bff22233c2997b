/** The configuration from environment variables: defaults, the effect of each setting, and the error for an invalid one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ConfigSources, loadConfig, version } from '../src/config.ts';
import { configurationFileSchema } from '../src/shapes/configuration/config.ts';
import { configRefusal, loadConfigFile } from './support/hub/config-loading.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function load(environment: ConfigSources['environment'] = {}) {
  return loadConfig({ environment, workingDirectory: folder });
}

describe('the default configuration', () => {
  test('listens on loopback and keeps its data in ./data', () => {
    expect(load()).toMatchObject({
      host: '127.0.0.1',
      port: 7420,
      dataDirectory: join(folder, 'data'),
      databaseFile: join(folder, 'data', 'hestia.db'),
      operatorKeyFile: join(folder, 'data', 'operator.key'),
      log: { file: join(folder, 'data', 'hestia.log'), level: 'info' },
    });
  });

  test('has the limits and periods of the reference', () => {
    expect(load()).toMatchObject({
      servers: {},
      skills: { directories: [], namespace: 'default' },
      scheduler: { intervalHours: 1 },
      retention: { outcomesDays: 90, auditDays: 90 },
      storage: { durability: 'normal' },
      limits: { callTimeoutMs: 30_000, responseBytesMax: 10 * 1024 * 1024 },
      policy: { allowedHosts: [], allowedOrigins: [] },
    });
  });

  test('exports every signal as http/protobuf and captures no content', () => {
    const { telemetry } = load();
    for (const signal of [telemetry.traces, telemetry.logs, telemetry.metrics]) {
      expect(signal).toMatchObject({ exporter: 'otlp', protocol: 'http/protobuf' });
    }
    expect(telemetry).toMatchObject({ disabled: false, captureContent: false, samplerFromEnvironment: false });
    expect(telemetry.resourceAttributes).toMatchObject({ 'service.name': 'hestia', 'service.version': version });
  });

  test('treats an empty variable as unset', () => {
    expect(load({ HESTIA_PORT: '', HESTIA_HOST: '', HESTIA_DATABASE_URL: '', HESTIA_UNHEARD_OF: '' }).port).toBe(7420);
  });
});

describe('the environment', () => {
  test('sets host, port, log level and content capture', () => {
    const config = load({
      HESTIA_HOST: '0.0.0.0',
      HESTIA_PORT: '0',
      HESTIA_LOG_LEVEL: 'debug',
      HESTIA_CAPTURE_CONTENT: 'on',
      PATH: '/bin',
    });
    expect(config).toMatchObject({ host: '0.0.0.0', port: 0, log: { level: 'debug' } });
    expect(config.telemetry.captureContent).toBe(true);
  });

  test('resolves relative paths against the working directory', () => {
    const config = load({ HESTIA_DATA_DIR: 'state', HESTIA_LOG_FILE: 'logs/hub.log' });
    expect(config.databaseFile).toBe(join(folder, 'state', 'hestia.db'));
    expect(config.log.file).toBe(join(folder, 'logs', 'hub.log'));
    expect(load({ HESTIA_DATA_DIR: join(folder, 'elsewhere') }).dataDirectory).toBe(join(folder, 'elsewhere'));
  });

  const bad = [
    ['HESTIA_PORT', 'seven', 'found "seven", must be a whole number from 0 to 65535'],
    ['HESTIA_PORT', '65536', 'found "65536", must be a whole number from 0 to 65535'],
    ['HESTIA_PORT', '-1', 'found "-1", must be a whole number from 0 to 65535'],
    ['HESTIA_LOG_LEVEL', 'loud', 'found "loud", must be "debug", "info", "warn" or "error"'],
    ['HESTIA_CAPTURE_CONTENT', 'yes', 'found "yes", must be "on" or "off"'],
    ['OTEL_SDK_DISABLED', '1', 'found "1", must be "true" or "false"'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'found "zipkin", must be "otlp" or "none"'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'found "grpc", must be "http/protobuf" or "http/json"'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'found "0", must be a whole number from 1 to 999999999'],
    ['HESTIA_LOG_LEVEL', 'a\nb\u202e', 'found "a\\nb\\u202e", must be "debug", "info", "warn" or "error"'],
  ] as const;
  test.each(bad)('refuses %s=%j and names the key, the value found and what is allowed', async (key, value, reason) => {
    expect(await configRefusal(() => load({ [key]: value }))).toBe(`environment: ${key}: ${reason}`);
  });

  test('refuses an unknown variable that begins with HESTIA_', async () => {
    expect(await configRefusal(() => load({ HESTIA_PROT: '8080' }))).toBe('environment: HESTIA_PROT: unknown key');
  });

  test('refuses HESTIA_DATABASE_URL, which this version does not support, without showing its value', async () => {
    const message = await configRefusal(() => load({ HESTIA_DATABASE_URL: 'postgres://user:hunter2@host' }));
    expect(message).toContain('environment: HESTIA_DATABASE_URL: is not supported by this version; unset it');
    expect(message).not.toContain('hunter2');
  });
});

describe('the search variables', () => {
  test('keep search in process and offline by default', () => {
    expect(load().search).toEqual({
      chromaUrl: undefined,
      embeddings: { kind: 'static' },
      vectorsFile: join(folder, 'data', 'vectors.db'),
    });
  });

  test.each([
    ['https://api.example.com', 'https://api.example.com/v1/embeddings'],
    ['https://api.example.com/v1/', 'https://api.example.com/v1/embeddings'],
    ['http://localhost:11434/v1/embeddings', 'http://localhost:11434/v1/embeddings'],
    [
      'https://host/openai/deployments/d/embeddings?api-version=1',
      'https://host/openai/deployments/d/embeddings?api-version=1',
    ],
  ])('accept %s as the URL of embeddings', (url, expected) => {
    const { embeddings } = load({
      HESTIA_EMBEDDINGS_URL: url,
      HESTIA_EMBEDDINGS_MODEL: 'small',
      HESTIA_EMBEDDINGS_KEY: 'sk-1',
    }).search;
    expect(embeddings).toEqual({ kind: 'endpoint', url: expected, model: 'small', key: 'sk-1' });
  });

  test('accept the model "default" as the local model, and the URL of a Chroma server', () => {
    expect(load({ HESTIA_EMBEDDINGS_MODEL: 'default', HESTIA_CHROMA_URL: 'http://chroma:8000' }).search).toMatchObject({
      chromaUrl: 'http://chroma:8000',
      embeddings: { kind: 'local', model: 'default' },
    });
  });

  test('turn vectors off with the model "words", and name the static model', () => {
    expect(load({ HESTIA_EMBEDDINGS_MODEL: 'words' }).search.embeddings).toEqual({ kind: 'words' });
    expect(load({ HESTIA_EMBEDDINGS_MODEL: 'static' }).search.embeddings).toEqual({ kind: 'static' });
  });

  const address = 'must be an address that begins with http:// or https:// and names no user or password';
  test.each([
    [{ CHROMA_URL: 'chroma:8000' }, `CHROMA_URL: ${address}`],
    [{ CHROMA_URL: 'http://user:hunter2@chroma' }, `CHROMA_URL: ${address}`],
    [
      { CHROMA_URL: 'http://chroma/path' },
      'CHROMA_URL: must be scheme, host and port only, as in http://localhost:8000',
    ],
    [{ EMBEDDINGS_URL: 'ftp://hunter2', EMBEDDINGS_MODEL: 'm' }, `EMBEDDINGS_URL: ${address}`],
    [
      { EMBEDDINGS_URL: 'http://host' },
      'EMBEDDINGS_MODEL: must name the model to ask HESTIA_EMBEDDINGS_URL for, as in text-embedding-3-small',
    ],
    [
      { EMBEDDINGS_MODEL: 'large' },
      'EMBEDDINGS_MODEL: must be one of "static", "words", "default" where HESTIA_EMBEDDINGS_URL is not set',
    ],
    [
      { EMBEDDINGS_MODEL: 'words', CHROMA_URL: 'http://chroma:8000' },
      'CHROMA_URL: stores vectors, and HESTIA_EMBEDDINGS_MODEL=words computes none',
    ],
    [{ EMBEDDINGS_KEY: 'hunter2' }, 'EMBEDDINGS_KEY: is for HESTIA_EMBEDDINGS_URL, which is not set'],
    [
      { EMBEDDINGS_URL: 'http://host', EMBEDDINGS_MODEL: 'm', EMBEDDINGS_KEY: 'hunter2 and blanks' },
      'EMBEDDINGS_KEY: must be printable ASCII without blanks',
    ],
  ])('refuse %o', async (variables, reason) => {
    const environment = Object.fromEntries(Object.entries(variables).map(([name, value]) => [`HESTIA_${name}`, value]));
    const message = await configRefusal(() => load(environment));
    expect(message).toBe(`environment: HESTIA_${reason}`);
  });
});

describe('the OTEL_ variables', () => {
  test('choose exporter and protocol for each signal; the variable of a signal overrides the general one', () => {
    const { telemetry } = load({
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_TRACES_SAMPLER: 'always_off',
    });
    expect(telemetry.traces).toMatchObject({ exporter: 'otlp', protocol: 'http/json' });
    expect(telemetry.logs).toMatchObject({ exporter: 'none', protocol: 'http/json' });
    expect(telemetry.metrics).toMatchObject({ exporter: 'otlp', protocol: 'http/protobuf' });
    expect(telemetry.samplerFromEnvironment).toBe(true);
  });

  test('set the batch sizes, which never exceed the queue size', () => {
    const { telemetry } = load({
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_MAX_QUEUE_SIZE: '300',
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '30',
      OTEL_BLRP_EXPORT_TIMEOUT: '700',
    });
    expect(telemetry.traces).toMatchObject({ queueSizeMax: 100, batchSizeMax: 100, delayMs: 50 });
    expect(telemetry.logs).toMatchObject({ queueSizeMax: 300, batchSizeMax: 30, timeoutMs: 700 });
  });

  test('set the metric interval, which the timeout never exceeds', () => {
    const { metrics } = load({ OTEL_METRIC_EXPORT_INTERVAL: '500' }).telemetry;
    expect(metrics).toMatchObject({ intervalMs: 500, timeoutMs: 500 });
  });

  test.each(['true', 'TRUE', 'True'])('disable telemetry with OTEL_SDK_DISABLED=%s', (value) => {
    expect(load({ OTEL_SDK_DISABLED: value }).telemetry.disabled).toBe(true);
  });

  test('add percent-decoded resource attributes, but cannot replace the service version', () => {
    const { resourceAttributes } = load({
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging%20two, service.instance.id=b=1,service.version=9,',
    }).telemetry;
    expect(resourceAttributes).toEqual({
      'service.namespace': 'hestia',
      'service.instance.id': 'b=1',
      'deployment.environment.name': 'staging two',
      'service.name': 'hestia',
      'service.version': version,
    });
  });

  test('name the service; OTEL_SERVICE_NAME overrides the resource attribute', () => {
    const name = (environment: ConfigSources['environment']) =>
      load(environment).telemetry.resourceAttributes['service.name'];
    expect(name({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute' })).toBe('attribute');
    expect(name({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute', OTEL_SERVICE_NAME: 'own' })).toBe('own');
  });

  test.each(['novalue', '=x', 'a=%zz'])('refuse OTEL_RESOURCE_ATTRIBUTES=%s', async (value) => {
    expect(await configRefusal(() => load({ OTEL_RESOURCE_ATTRIBUTES: value }))).toMatch(/^OTEL_RESOURCE_ATTRIBUTES: /);
  });
});

describe('a loaded configuration', () => {
  test('is deeply frozen', async () => {
    const config = await loadConfigFile(folder, { mcpServers: { a: { command: 'x' } } });
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.servers.a ?? {}, { command: 'y' })).toThrow(TypeError);
    expect(() => Object.assign(config.telemetry.resourceAttributes, { x: 'y' })).toThrow(TypeError);
    expect(Object.isFrozen(config.skills.directories)).toBe(true);
  });
});

describe('the JSON Schema of the configuration file', () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(z.toJSONSchema(configurationFileSchema, { io: 'input' }));

  test('accepts an empty object and one with all kinds of entries', () => {
    expect(validate({})).toBe(true);
    expect(validate({ mcpServers: { a: { command: 'x' }, b: { url: 'https://x' } }, limits: { drainMs: 0 } })).toBe(
      true,
    );
  });

  test.each([{ colour: 'red' }, { limits: { drainMs: -1 } }, { mcpServers: { 'a\\b': { command: 'x' } } }])(
    'refuses %j',
    (content) => {
      expect(validate(content)).toBe(false);
    },
  );
});
