/**
 * The configuration: schemas of `hestia.config.json` and of the environment, and the resulting value.
 * The JSON Schema that editors use for completion is generated from here.
 */
import { z } from 'zod';
import { loginsSchema } from '../oauth/server-oauth.ts';
import { type MisconfiguredServer, serverConfigurationSchema, serverIdSchema } from '../server.ts';
import { auditConfigurationSchema } from './audit.ts';
import { type ConsoleConfiguration, consoleSchema } from './console.ts';
import { limitsSchema } from './limits.ts';
import { oauthSchema } from './oauth.ts';
import { contentScanSchema, toolChangesSchema } from './scan-policy.ts';
import { type SearchConfiguration, searchEnvironment } from './search.ts';
import { type SkillsConfiguration, skillsSchema } from './skills.ts';

/** The strictness of the check of tool arguments. */
const argumentCheckPolicySchema = z.enum(['lenient', 'strict'], { error: 'must be "lenient" or "strict"' });
/** `policy.argumentCheck`. */
export type ArgumentCheckPolicy = z.infer<typeof argumentCheckPolicySchema>;

/** Intervals that a cron expression can state: whole fractions of an hour, and whole fractions of a day. */
export const intervalHoursAllowed = [0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 24] as const;

/** `hestia.config.json`. Every key is optional. The hub does not start with an unknown key. */
export const configurationFileSchema = z.strictObject({
  $schema: z.string().optional(),
  mcpServers: z
    .record(serverIdSchema, serverConfigurationSchema)
    .default({})
    .describe(
      'Upstream MCP servers by name, in the notation of the hub or of an MCP client. ${NAME} and ${NAME:-default} are replaced by environment variables.',
    ),
  skills: skillsSchema,
  scheduler: z
    .strictObject({
      intervalHours: z
        .literal(intervalHoursAllowed, { error: `must be one of ${intervalHoursAllowed.join(', ')}` })
        .default(1)
        .describe('Hours between two cleanups.'),
      enabled: z
        .boolean()
        .default(true)
        .describe('Run jobs on schedule: cleanups, expiration of activations, full scans of skill directories.'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      outcomesDays: z
        .number()
        .positive()
        .max(3650)
        .default(90)
        .describe('Days a tool outcome counts in statistics. Its audit record is kept for `retention.auditDays`.'),
      searchesDays: z
        .number()
        .positive()
        .max(3650)
        .default(30)
        .describe('Days a search is kept, with its text and its results.'),
      searchesMax: z
        .int()
        .min(100)
        .max(100_000_000)
        .default(1_000_000)
        .describe('Newest searches kept. Older ones are deleted before `retention.searchesDays`.'),
      skillVersions: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(50)
        .describe('Newest versions kept of each skill. Older ones are deleted, but for an active one.'),
      deletedSkillsDays: z
        .number()
        .min(0)
        .max(3650)
        .default(30)
        .describe('Days that the versions of a deleted skill are kept.'),
      auditDays: z
        .number()
        .positive()
        .max(3650)
        .default(90)
        .describe('Days an audit record is kept, at least. Records are deleted a segment of the journal at a time.'),
    })
    .prefault({}),
  limits: limitsSchema,
  logins: loginsSchema,
  console: consoleSchema,
  audit: auditConfigurationSchema,
  storage: z
    .strictObject({
      durability: z
        .enum(['normal', 'full'], { error: 'must be "normal" or "full"' })
        .default('normal')
        .describe('What a record survives: `normal`: a crash of the process; `full`: also a loss of power.'),
    })
    .prefault({}),
  policy: z
    .strictObject({
      auditMode: z
        .enum(['best-effort', 'required'], { error: 'must be "best-effort" or "required"' })
        .default('required')
        .describe(
          'What happens to a tool call whose audit record cannot be written: `required` refuses it; `best-effort` completes it, counts the gap and alerts.',
        ),
      argumentCheck: argumentCheckPolicySchema
        .default('lenient')
        .describe(
          'What happens to a call whose arguments do not fit the input schema of the tool: `lenient` refuses what no server would accept (a missing argument, a value that cannot be converted to the type) and leaves the rest to the server; `strict` refuses it, and calls whose arguments cannot be checked.',
        ),
      allowedHosts: z
        .array(z.string().min(1))
        .default([])
        .describe('Host names, besides localhost and the listen address, that requests may be sent to.'),
      allowedOrigins: z
        .array(z.string().min(1))
        .default([])
        .describe('Host names of browser origins, besides localhost, that may send requests.'),
      oauth: oauthSchema
        .optional()
        .describe('Accept access tokens of an OAuth 2.1 issuer in addition to API keys. If unset: API keys only.'),
      contentScan: contentScanSchema,
      toolChanges: toolChangesSchema,
    })
    .prefault({}),
});
export type ConfigurationFile = z.infer<typeof configurationFileSchema>;

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a whole number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a whole number from 0 to 65535');

const onOff = z.enum(['on', 'off'], { error: 'must be "on" or "off"' });
const exporter = z.enum(['otlp', 'none'], { error: 'must be "otlp" or "none"' });
const protocol = z.enum(['http/protobuf', 'http/json'], { error: 'must be "http/protobuf" or "http/json"' });
const count = (defaultValue: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1 to 999999999')
    .transform(Number)
    .default(defaultValue);

/** A variable that this version does not support. If it is set, the hub does not start, so that it is never ignored silently. */
const notYetServed = (instead: string) =>
  z.undefined({ error: `is not supported by this version; unset it: ${instead}` }).optional();

const logBytesMin = 65_536;
const logBytesText = `must be a whole number of bytes, at least ${logBytesMin}`;

/** The environment variables that the hub reads. Exporters read the remaining `OTEL_EXPORTER_OTLP_*` themselves. */
export const environmentSchema = z.object({
  HESTIA_HOST: z.string().min(1).default('127.0.0.1'),
  HESTIA_PORT: port.default(7420),
  HESTIA_DATA_DIR: z.string().min(1).default('./data'),
  HESTIA_CONFIG: z.string().min(1).optional(),
  HESTIA_LOG_FILE: z.string().min(1).optional(),
  HESTIA_LOG_BYTES_MAX: z
    .string()
    .regex(/^[1-9]\d{4,14}$/, logBytesText)
    .transform(Number)
    .refine((bytes) => bytes >= logBytesMin, logBytesText)
    .optional(),
  HESTIA_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be "debug", "info", "warn" or "error"' })
    .default('info'),
  HESTIA_CAPTURE_CONTENT: onOff.default('off'),
  ...searchEnvironment,
  HESTIA_LOGIN_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional(),
  HESTIA_OAUTH_CLIENT_SECRET: z.string().min(1).optional(),
  HESTIA_DATABASE_URL: notYetServed('state is kept in SQLite in the data directory'),
  OTEL_SDK_DISABLED: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false'], { error: 'must be "true" or "false"' }))
    .default('false'),
  OTEL_SERVICE_NAME: z.string().min(1).optional(),
  OTEL_RESOURCE_ATTRIBUTES: z.string().default(''),
  OTEL_TRACES_EXPORTER: exporter.default('otlp'),
  OTEL_METRICS_EXPORTER: exporter.default('otlp'),
  OTEL_LOGS_EXPORTER: exporter.default('otlp'),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.default('http/protobuf'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: protocol.optional(),
  OTEL_TRACES_SAMPLER: z.string().min(1).optional(),
  OTEL_BSP_MAX_QUEUE_SIZE: count(8192),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: count(256),
  OTEL_BSP_SCHEDULE_DELAY: count(1000),
  OTEL_BSP_EXPORT_TIMEOUT: count(10_000),
  OTEL_BLRP_MAX_QUEUE_SIZE: count(8192),
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: count(256),
  OTEL_BLRP_SCHEDULE_DELAY: count(1000),
  OTEL_BLRP_EXPORT_TIMEOUT: count(10_000),
  OTEL_METRIC_EXPORT_INTERVAL: count(15_000),
  OTEL_METRIC_EXPORT_TIMEOUT: count(10_000),
});
export type Environment = z.infer<typeof environmentSchema>;

/** Settings of one OTLP signal. Queue lengths are in items, times in milliseconds. */
export interface SignalConfiguration {
  exporter: 'otlp' | 'none';
  protocol: 'http/protobuf' | 'http/json';
}

/** Settings of a batch processor. */
export interface BatchConfiguration extends SignalConfiguration {
  queueSizeMax: number;
  batchSizeMax: number;
  delayMs: number;
  timeoutMs: number;
}

/** Telemetry settings, from the `OTEL_*` variables. */
export interface TelemetryConfiguration {
  disabled: boolean;
  /** Configured resource attributes. None are detected. */
  resourceAttributes: Record<string, string>;
  /** True if `OTEL_TRACES_SAMPLER` names a sampler, which then replaces the hub's own. */
  samplerFromEnvironment: boolean;
  traces: BatchConfiguration;
  logs: BatchConfiguration;
  metrics: SignalConfiguration & { intervalMs: number; timeoutMs: number };
  captureContent: boolean;
}

/** The complete configuration of the hub, parsed, resolved and frozen. Paths are absolute. */
export interface Config {
  host: string;
  port: number;
  dataDirectory: string;
  databaseFile: string;
  operatorKeyFile: string;
  log: { file: string; level: Environment['HESTIA_LOG_LEVEL']; bytesMax: number | undefined };
  telemetry: TelemetryConfiguration;
  search: SearchConfiguration;
  servers: ConfigurationFile['mcpServers'];
  /** Servers whose entries cannot be used. They are listed, and never connected. */
  misconfiguredServers: readonly MisconfiguredServer[];
  /** What the hub ignores in the configuration, or reads in a way that should be known: one line each. */
  warnings: readonly string[];
  /** The variables that every server over stdio gets. */
  serverEnvironment: Record<string, string>;
  skills: SkillsConfiguration;
  scheduler: ConfigurationFile['scheduler'];
  retention: ConfigurationFile['retention'];
  limits: ConfigurationFile['limits'];
  /** Logins to upstream servers. */
  logins: {
    /** Where browsers return to; undefined if the hub has no address that they may be sent to. */
    redirectUrl: string | undefined;
    /** The hub's client id metadata document; undefined unless the hub has an https URL. */
    clientMetadataUrl: string | undefined;
    /** The key that encrypts tokens, in hex, if the environment has it; else the file of the key, an absolute path. */
    key: string | undefined;
    keyFile: string;
    isKeyFileChosen: boolean;
  };
  /** `headFile` is an absolute path. */
  audit: ConfigurationFile['audit'] & { headFile: string };
  storage: ConfigurationFile['storage'];
  console: ConsoleConfiguration;
  policy: ConfigurationFile['policy'];
}
