/**
 * The configuration: `hestia.config.json` and the environment as zod sees them, and the one frozen value made of both.
 * The JSON Schema that editors complete from is generated from here.
 */
import { z } from 'zod';
import { namespaceSchema } from '../access.ts';
import { httpServerSchema, serverIdSchema, stdioServerSchema } from '../server.ts';
import { limitsSchema } from './limits.ts';
import { contentScanSchema, toolChangesSchema } from './scan-policy.ts';
import { type SearchConfiguration, searchEnvironment } from './search.ts';

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** Who issues access tokens (JWT, RFC 9068), and what a token must say. */
const oauthSchema = z.strictObject({
  issuer: httpUrl.describe('The issuer, exactly as tokens name it in `iss`.'),
  resource: httpUrl.describe("The URL that clients reach this hub's MCP endpoint by; tokens must be meant for it."),
  audience: z.string().min(1).optional().describe('What tokens name in `aud`; the resource, if unset.'),
  jwksUrl: httpUrl.optional().describe('Where the issuer keeps its keys; found by its metadata, if unset.'),
  clockSkewSeconds: z.int().min(0).max(300).default(30).describe('How far the clocks of hub and issuer may differ.'),
  agentClaim: z.string().min(1).default('sub').describe('The claim that names the agent.'),
  namespaceClaim: z.string().min(1).default('hestia_namespace').describe('The claim that names the namespace.'),
  roleClaim: z.string().min(1).default('hestia_role').describe('The claim that names the role; `agent`, if absent.'),
});
/** The issuer whose tokens are taken, as configured. */
export type OauthConfiguration = z.infer<typeof oauthSchema>;

const serverSchema = z.union([stdioServerSchema, httpServerSchema], {
  error: 'must be { "command", "args", "env", "cwd" } or { "url", "headers" }, each with an optional "autoConnect"',
});

/** Intervals a cron line can hold: whole fractions of an hour, and whole fractions of a day. */
export const intervalHoursAllowed = [0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 24] as const;

/** `hestia.config.json`. Every key is optional; an unknown one stops the start. */
export const configurationFileSchema = z.strictObject({
  $schema: z.string().optional(),
  mcpServers: z
    .record(serverIdSchema, serverSchema)
    .default({})
    .describe(
      'Upstream MCP servers by name, as MCP clients write them. ${NAME} and ${NAME:-default} stand for environment variables.',
    ),
  skills: z
    .strictObject({
      directories: z
        .array(z.string().min(1))
        .max(32)
        .default([])
        .describe('Folders whose sub-folders each hold a SKILL.md; watched.'),
      namespace: namespaceSchema.default('default').describe('The namespace that skills from directories belong to.'),
    })
    .prefault({}),
  scheduler: z
    .strictObject({
      intervalHours: z
        .literal(intervalHoursAllowed, { error: `must be one of ${intervalHoursAllowed.join(', ')}` })
        .default(1)
        .describe('Hours between two cleanups.'),
      enabled: z
        .boolean()
        .default(true)
        .describe('Run jobs by the clock: cleanups, the end of activations, full passes over skill directories.'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      outcomesDays: z.number().positive().max(3650).default(90).describe('Days a tool outcome is kept.'),
      searchesDays: z
        .number()
        .positive()
        .max(3650)
        .default(30)
        .describe('Days a search is kept, with its text and what it showed.'),
      auditDays: z.number().positive().max(3650).default(90).describe('Days an audit record is kept.'),
    })
    .prefault({}),
  limits: limitsSchema,
  audit: z
    .strictObject({
      checkpointRecords: z
        .int()
        .min(1)
        .max(100_000)
        .default(1000)
        .describe('Records after which a checkpoint of the audit trail is signed.'),
      checkpointSeconds: z
        .int()
        .min(1)
        .max(86_400)
        .default(60)
        .describe('Seconds after which records are signed that are fewer.'),
    })
    .prefault({}),
  storage: z
    .strictObject({
      durability: z
        .enum(['normal', 'full'], { error: 'must be "normal" or "full"' })
        .default('normal')
        .describe('What a record survives: a crash of the process, or also a loss of power.'),
    })
    .prefault({}),
  policy: z
    .strictObject({
      auditMode: z
        .enum(['best-effort', 'required'], { error: 'must be "best-effort" or "required"' })
        .default('best-effort')
        .describe(
          'What becomes of a tool call whose audit record cannot be written: completed, counted and alerted, or refused.',
        ),
      allowedHosts: z
        .array(z.string().min(1))
        .default([])
        .describe('Host names, besides localhost and the listen address, that requests may be sent to.'),
      allowedOrigins: z
        .array(z.string().min(1))
        .default([])
        .describe('Host names of browser origins, besides localhost, that may call.'),
      oauth: oauthSchema
        .optional()
        .describe('Accept access tokens of an OAuth 2.1 issuer, besides API keys. Unset: API keys only.'),
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

/** Variables that this version reads but cannot serve yet; set, they stop the start rather than be ignored. */
const notYetServed = (instead: string) =>
  z.undefined({ error: `is not supported by this version; unset it: ${instead}` }).optional();

/** The environment variables the hub reads itself. Exporters read the remaining `OTEL_EXPORTER_OTLP_*` on their own. */
export const environmentSchema = z.object({
  HESTIA_HOST: z.string().min(1).default('127.0.0.1'),
  HESTIA_PORT: port.default(7420),
  HESTIA_DATA_DIR: z.string().min(1).default('./data'),
  HESTIA_CONFIG: z.string().min(1).optional(),
  HESTIA_LOG_FILE: z.string().min(1).optional(),
  HESTIA_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be "debug", "info", "warn" or "error"' })
    .default('info'),
  HESTIA_CAPTURE_CONTENT: onOff.default('off'),
  ...searchEnvironment,
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

/** One OTLP signal's settings; queue lengths in items, times in milliseconds. */
export interface SignalConfiguration {
  exporter: 'otlp' | 'none';
  protocol: 'http/protobuf' | 'http/json';
}

/** A batch processor's settings. */
export interface BatchConfiguration extends SignalConfiguration {
  queueSizeMax: number;
  batchSizeMax: number;
  delayMs: number;
  timeoutMs: number;
}

/** Telemetry settings, made of the `OTEL_*` variables. */
export interface TelemetryConfiguration {
  disabled: boolean;
  /** Explicit resource attributes; nothing is detected. */
  resourceAttributes: Record<string, string>;
  /** True where `OTEL_TRACES_SAMPLER` names a sampler, which is then used instead of the hub's own. */
  samplerFromEnvironment: boolean;
  traces: BatchConfiguration;
  logs: BatchConfiguration;
  metrics: SignalConfiguration & { intervalMs: number; timeoutMs: number };
  captureContent: boolean;
}

/** Everything the hub can be told, parsed, resolved and frozen. Paths are absolute. */
export interface Config {
  host: string;
  port: number;
  dataDirectory: string;
  databaseFile: string;
  operatorKeyFile: string;
  log: { file: string; level: Environment['HESTIA_LOG_LEVEL'] };
  telemetry: TelemetryConfiguration;
  search: SearchConfiguration;
  servers: ConfigurationFile['mcpServers'];
  skills: ConfigurationFile['skills'];
  scheduler: ConfigurationFile['scheduler'];
  retention: ConfigurationFile['retention'];
  limits: ConfigurationFile['limits'];
  audit: ConfigurationFile['audit'];
  storage: ConfigurationFile['storage'];
  policy: ConfigurationFile['policy'];
}
