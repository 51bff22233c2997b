/**
 * Loads the configuration from environment variables and `hestia.config.json` into one frozen Config. Only this file reads
 * `process.env`, and only it turns an invalid setting into the one-line error that stops the start.
 */
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { systemErrorCode } from './flow/system-error.ts';
import {
  type Config,
  type ConfigurationFile,
  configurationFileSchema,
  type Environment,
  environmentSchema,
  type TelemetryConfiguration,
} from './shapes/configuration/config.ts';
import { embeddingsConfiguration } from './shapes/configuration/search.ts';
import { skillsConfiguration } from './shapes/configuration/skills.ts';
import { printable, truncated } from './shapes/text.ts';

/** The version in package.json. */
export const version: string = packageJson.version;

/** An invalid setting, which stops the start. The message is one printable line: the key, the value found, what is allowed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(message: string, options?: ErrorOptions) {
    super(truncated(printable(message), messageLengthMax), options);
  }
}

const messageLengthMax = 500;

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
  if (!parsed.success) throw configurationError('environment', parsed.error, sources.environment);
  const environment = parsed.data;
  const absolute = (path: string) => resolve(sources.workingDirectory, path);
  const configFile = absolute(environment.HESTIA_CONFIG ?? './hestia.config.json');
  const file = readConfigurationFile(configFile, environment.HESTIA_CONFIG !== undefined, sources.environment);
  const folder = dirname(configFile);
  const home = sources.environment.HOME ?? homedir();
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
    },
    telemetry: telemetryConfiguration(environment),
    search: {
      chromaUrl: environment.HESTIA_CHROMA_URL,
      embeddings: embeddingsConfiguration(environment, (variable, reason) => {
        throw new ConfigurationError(`environment: ${variable}: ${reason}`);
      }),
      vectorsFile: resolve(dataDirectory, 'vectors.db'),
    },
    servers: file.mcpServers,
    skills: skillsConfiguration(file.skills, { folder, home }),
    scheduler: file.scheduler,
    retention: file.retention,
    limits: file.limits,
    audit: { ...file.audit, headFile: resolve(folder, file.audit.headFile ?? resolve(dataDirectory, 'audit.head')) },
    storage: file.storage,
    policy: file.policy,
  });
}

/** The URL of a hub with this environment, as seen from this machine, and the file of its operator's key. Reads no file. */
export function clientDefaults(sources: ConfigSources): { url: string; operatorKeyFile: string } {
  const parsed = environmentSchema
    .pick({ HESTIA_HOST: true, HESTIA_PORT: true, HESTIA_DATA_DIR: true })
    .safeParse(withoutEmpty(sources.environment));
  if (!parsed.success) throw configurationError('environment', parsed.error, sources.environment);
  const { HESTIA_HOST: host, HESTIA_PORT: port, HESTIA_DATA_DIR: folder } = parsed.data;
  const name = wildcardAddresses.has(host) ? '127.0.0.1' : host;
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${port}`,
    operatorKeyFile: resolve(sources.workingDirectory, folder, operatorKeyFileName),
  };
}

/** Addresses that mean every interface: a server can listen on them, but a client cannot connect to them. */
const wildcardAddresses = new Set(['0.0.0.0', '::']);

const operatorKeyFileName = 'operator.key';

function readConfigurationFile(
  path: string,
  required: boolean,
  environment: ConfigSources['environment'],
): ConfigurationFile {
  const text = readText(path, required);
  if (text === undefined) return configurationFileSchema.parse({});
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`${path}: not valid JSON`, { cause });
  }
  const expanded = expandVariables(json, environment, []);
  const parsed = configurationFileSchema.safeParse(expanded);
  if (!parsed.success) throw configurationError(path, parsed.error, expanded);
  requireAtMost(path, parsed.data.limits, { key: 'callTimeoutMs', maxKey: 'callTimeoutMsMax' });
  requireAtMost(path, parsed.data.limits, { key: 'reconnectDelayMs', maxKey: 'reconnectDelayMsMax' });
  return parsed.data;
}

type Limits = ConfigurationFile['limits'];

function requireAtMost(
  path: string,
  limits: Limits,
  { key, maxKey }: { key: keyof Limits; maxKey: keyof Limits },
): void {
  if (limits[key] <= limits[maxKey]) return;
  throw new ConfigurationError(
    `${path}: limits.${key}: found ${limits[key]}, must be at most limits.${maxKey} (${limits[maxKey]})`,
  );
}

function readText(path: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const absent = systemErrorCode(cause) === 'ENOENT';
    if (absent && !required) return undefined;
    throw new ConfigurationError(`HESTIA_CONFIG: cannot read ${path}${absent ? ': no such file' : ''}`, { cause });
  }
}

const variablePattern = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Replaces `${NAME}` and `${NAME:-default}` in the strings below `mcpServers`, where the files of MCP clients hold secrets. */
function expandVariables(value: unknown, environment: ConfigSources['environment'], path: string[]): unknown {
  if (typeof value === 'string' && path[0] === 'mcpServers') {
    return value.replace(variablePattern, (_match, name: string, fallback: string | undefined) => {
      // As in a shell, `:-` also replaces an empty variable.
      const given = Object.hasOwn(environment, name) ? environment[name] : undefined;
      const found = given === '' ? (fallback ?? given) : (given ?? fallback);
      if (found === undefined) {
        throw new ConfigurationError(
          `${path.join('.')}: the environment variable ${name} is not set, and no default is given`,
        );
      }
      return found;
    });
  }
  if (Array.isArray(value))
    return value.map((item, index) => expandVariables(item, environment, [...path, `${index}`]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expandVariables(item, environment, [...path, key])]),
    );
  }
  return value;
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

function configurationError(source: string, error: z.ZodError, input: unknown): ConfigurationError {
  const issue = innermost(error.issues[0]);
  if (issue === undefined) return new ConfigurationError(`${source}: not valid`);
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path.map(String), ...(unknownKey === undefined ? [] : [unknownKey])];
  const key = path.join('.') || '(the whole file)';
  const reason = unknownKey === undefined ? `${found(valueAt(input, path), path)}${issue.message}` : 'unknown key';
  return new ConfigurationError(`${source}: ${key}: ${reason}`);
}

type Issue = z.core.$ZodIssue;

/** The issue to report: for a key, that of its own rule; for a union, that of the one member that fits best. */
function innermost(issue: Issue | undefined): Issue | undefined {
  if (issue?.code === 'invalid_key') return { ...issue, message: issue.issues[0]?.message ?? issue.message };
  if (issue?.code !== 'invalid_union') return issue;
  const [best, second] = issue.errors.toSorted((left, right) => left.length - right.length);
  const inner = best?.[0];
  if (inner === undefined || best?.length === second?.length) return withUnknownKey(issue);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

/** If no member of a union fits best, adds the key that is unknown to all of them, if there is one. */
function withUnknownKey(issue: z.core.$ZodIssueInvalidUnion): Issue {
  const unknown = issue.errors.map((errors) =>
    errors.flatMap((error) => (error.code === 'unrecognized_keys' ? error.keys : [])),
  );
  const key = unknown[0]?.find((candidate) => unknown.every((keys) => keys.includes(candidate)));
  return key === undefined ? issue : { ...issue, message: `unknown key "${key}", ${issue.message}` };
}

/** The value found, unless it may be a secret: keys, URLs, and any text below `mcpServers` are never shown. */
function found(value: unknown, path: readonly string[]): string {
  const secret =
    path.some((part) => /KEY|URL/.test(part)) ||
    (path[0] === 'mcpServers' &&
      (typeof value === 'string' || path.some((part) => /^(?:env|headers|args)$/.test(part))));
  if (secret || value === undefined || typeof value === 'object') return '';
  return `found ${truncated(JSON.stringify(value), 80)}, `;
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === part)?.[1];
  }
  return value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
