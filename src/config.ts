/**
 * Loads the configuration from environment variables and `hestia.config.json` into one frozen Config. Only this file reads
 * `process.env`, and only it turns an invalid setting into the one-line error that stops the start.
 */
import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { systemErrorCode } from './flow/system-error.ts';
import { readTextFile } from './flow/text-file.ts';
import {
  type Config,
  type Environment,
  environmentSchema,
  type TelemetryConfiguration,
} from './shapes/configuration/config.ts';
import { ConfigurationError } from './shapes/configuration/configuration-error.ts';
import { type ConfigurationSource, readConfigurationText } from './shapes/configuration/file/configuration-text.ts';
import { issueText } from './shapes/configuration/file/issue-text.ts';
import { embeddingsConfiguration } from './shapes/configuration/search.ts';
import { skillsConfiguration } from './shapes/configuration/skills.ts';
import { isProtected, type LoginsConfiguration, loginPaths } from './shapes/oauth/server-oauth.ts';
import { inheritedEnvironment } from './shapes/server.ts';

/** The version in package.json. */
export const version: string = packageJson.version;

/** The environment and folder that {@link loadConfig} uses; tests pass their own. */
export interface ConfigSources {
  environment: Record<string, string | undefined>;
  /** Relative paths in the environment are resolved against this folder, those in the file against the file's folder. */
  workingDirectory: string;
}

/**
 * Reads, validates and freezes the configuration.
 * @throws ConfigurationError that names the first key that is unknown or has an invalid value
 */
export function loadConfig(sources: ConfigSources): Config {
  const given = withoutEmpty(sources.environment);
  const unknownKey = Object.keys(given).find((key) => key.startsWith('HESTIA_') && !(key in environmentSchema.shape));
  if (unknownKey !== undefined) throw new ConfigurationError(`environment: ${unknownKey}: unknown key`);
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw environmentError(parsed.error, sources.environment);
  const environment = parsed.data;
  const absolute = (path: string) => resolve(sources.workingDirectory, path);
  const source = configurationSource(sources);
  const configFile = source.file;
  const { home, folder } = source.surroundings;
  const text = readText(configFile, environment.HESTIA_CONFIG !== undefined) ?? '{}';
  const { settings: file, servers } = readConfigurationText(text, source);
  const dataDirectory = absolute(environment.HESTIA_DATA_DIR);
  return deepFreeze({
    host: environment.HESTIA_HOST,
    port: environment.HESTIA_PORT,
    dataDirectory,
    databaseFile: resolve(dataDirectory, 'hestia.db'),
    operatorKeyFile: resolve(dataDirectory, operatorKeyFileName),
    log: {
      file: environment.HESTIA_LOG_FILE ? absolute(environment.HESTIA_LOG_FILE) : resolve(dataDirectory, 'hestia.log'),
      level: environment.HESTIA_LOG_LEVEL,
      bytesMax: environment.HESTIA_LOG_BYTES_MAX,
    },
    telemetry: telemetryConfiguration(environment),
    search: {
      chromaUrl: environment.HESTIA_CHROMA_URL,
      embeddings: embeddingsConfiguration(environment, (variable, reason) => {
        throw new ConfigurationError(`environment: ${variable}: ${reason}`);
      }),
      vectorsFile: resolve(dataDirectory, 'vectors.db'),
    },
    servers: servers.servers,
    misconfiguredServers: servers.misconfigured,
    warnings: servers.warnings,
    serverEnvironment: inheritedEnvironment(sources.environment),
    skills: skillsConfiguration(file.skills, { folder, home }),
    scheduler: file.scheduler,
    retention: file.retention,
    limits: file.limits,
    logins: loginsConfiguration(environment, file.logins, { folder, dataDirectory }),
    audit: { ...file.audit, headFile: resolve(folder, file.audit.headFile ?? resolve(dataDirectory, 'audit.head')) },
    storage: file.storage,
    console: { grafanaUrl: file.console.grafanaUrl, clientSecret: environment.HESTIA_OAUTH_CLIENT_SECRET },
    policy: file.policy,
  });
}

/** The configuration file of this environment. It may be missing. */
export function configurationSource({ environment, workingDirectory }: ConfigSources): ConfigurationSource {
  const file = resolve(workingDirectory, environment.HESTIA_CONFIG || './hestia.config.json');
  const hasFile = (path: string) => isAbsolute(path) && existsSync(path);
  return { file, surroundings: { environment, home: environment.HOME ?? homedir(), folder: dirname(file), hasFile } };
}

/** What clients use by default: the URL of a hub with this environment, seen from this machine, and its files. Reads no file. */
export function clientDefaults(sources: ConfigSources) {
  const parsed = environmentSchema
    .pick({ HESTIA_HOST: true, HESTIA_PORT: true, HESTIA_DATA_DIR: true })
    .safeParse(withoutEmpty(sources.environment));
  if (!parsed.success) throw environmentError(parsed.error, sources.environment);
  const { HESTIA_HOST: host, HESTIA_PORT: port, HESTIA_DATA_DIR: folder } = parsed.data;
  const name = wildcardAddresses.has(host) ? '127.0.0.1' : host;
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${port}`,
    operatorKeyFile: resolve(sources.workingDirectory, folder, operatorKeyFileName),
    dataDirectory: resolve(sources.workingDirectory, folder),
  };
}

function loginsConfiguration(
  { HESTIA_HOST: host, HESTIA_PORT: port, HESTIA_LOGIN_KEY: key }: Environment,
  { publicUrl, keyFile }: LoginsConfiguration,
  { folder, dataDirectory }: { folder: string; dataDirectory: string },
): Config['logins'] {
  const name = wildcardAddresses.has(host) ? '127.0.0.1' : host;
  const own = `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  const base = (publicUrl ?? (isProtected(new URL(own)) ? own : undefined))?.replace(/\/+$/, '');
  return {
    redirectUrl: base === undefined ? undefined : `${base}${loginPaths.callback}`,
    clientMetadataUrl: base?.startsWith('https:') ? `${base}${loginPaths.clientMetadata}` : undefined,
    key,
    keyFile: keyFile === undefined ? resolve(dataDirectory, 'logins.key') : resolve(folder, keyFile),
    isKeyFileChosen: keyFile !== undefined,
  };
}

/** Addresses that mean every interface: a server can listen on them, but a client cannot connect to them. */
const wildcardAddresses = new Set(['0.0.0.0', '::']);

const operatorKeyFileName = 'operator.key';

function readText(path: string, required: boolean): string | undefined {
  try {
    return readTextFile(path);
  } catch (cause) {
    const absent = systemErrorCode(cause) === 'ENOENT';
    if (absent && !required) return undefined;
    throw new ConfigurationError(`HESTIA_CONFIG: cannot read ${path}${absent ? ': no such file' : ''}`, { cause });
  }
}

const serviceName = 'hestia';
const serviceNamespace = 'hestia';

function telemetryConfiguration(environment: Environment): TelemetryConfiguration {
  const shared = environment.OTEL_EXPORTER_OTLP_PROTOCOL;
  const attributes = resourceAttributes(environment.OTEL_RESOURCE_ATTRIBUTES);
  return {
    disabled: environment.OTEL_SDK_DISABLED === 'true',
    resourceAttributes: {
      'service.namespace': serviceNamespace,
      'service.instance.id': hostname(),
      ...attributes,
      'service.name': environment.OTEL_SERVICE_NAME ?? attributes['service.name'] ?? serviceName,
      'service.version': version,
    },
    samplerFromEnvironment: environment.OTEL_TRACES_SAMPLER !== undefined,
    traces: {
      exporter: environment.OTEL_TRACES_EXPORTER,
      protocol: environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? shared,
      queueSizeMax: environment.OTEL_BSP_MAX_QUEUE_SIZE,
      batchSizeMax: Math.min(environment.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, environment.OTEL_BSP_MAX_QUEUE_SIZE),
      delayMs: environment.OTEL_BSP_SCHEDULE_DELAY,
      timeoutMs: environment.OTEL_BSP_EXPORT_TIMEOUT,
    },
    logs: {
      exporter: environment.OTEL_LOGS_EXPORTER,
      protocol: environment.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL ?? shared,
      queueSizeMax: environment.OTEL_BLRP_MAX_QUEUE_SIZE,
      batchSizeMax: Math.min(environment.OTEL_BLRP_MAX_EXPORT_BATCH_SIZE, environment.OTEL_BLRP_MAX_QUEUE_SIZE),
      delayMs: environment.OTEL_BLRP_SCHEDULE_DELAY,
      timeoutMs: environment.OTEL_BLRP_EXPORT_TIMEOUT,
    },
    metrics: {
      exporter: environment.OTEL_METRICS_EXPORTER,
      protocol: environment.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? shared,
      intervalMs: environment.OTEL_METRIC_EXPORT_INTERVAL,
      timeoutMs: Math.min(environment.OTEL_METRIC_EXPORT_TIMEOUT, environment.OTEL_METRIC_EXPORT_INTERVAL),
    },
    captureContent: environment.HESTIA_CAPTURE_CONTENT === 'on',
  };
}

/** Parses `key=value,key=value`, percent-encoded (OpenTelemetry environment variable specification). */
function resourceAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const at = pair.indexOf('=');
    if (at < 1) throw new ConfigurationError('OTEL_RESOURCE_ATTRIBUTES: must be key=value pairs joined by commas');
    try {
      attributes[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch (cause) {
      throw new ConfigurationError('OTEL_RESOURCE_ATTRIBUTES: a value is not percent-encoded text', { cause });
    }
  }
  return attributes;
}

function withoutEmpty(environment: ConfigSources['environment']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

function environmentError(error: z.ZodError, input: unknown): ConfigurationError {
  const { path, text } = issueText(error, input, mayShow);
  return new ConfigurationError(`environment: ${path.join('.')}: ${text}`);
}

/** Keys and URLs may be secrets, and are never shown. */
function mayShow(path: readonly string[]): boolean {
  return !path.some((part) => /KEY|SECRET|URL/.test(part));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
