/** The section "Configuration" of the reference, from the schemas of the environment and of the configuration file. */
import { z } from 'zod';
import { configurationFileSchema, environmentSchema } from '../../../src/shapes/configuration/config.ts';
import { defaultOf, type JsonSchema, jsonSchemaSchema, propertiesOf, type Row, table, valuesOf } from './markdown.ts';

/** What each variable means, and its default where that is not a fixed value. */
const variables: Record<keyof typeof environmentSchema.shape, { meaning: string; byDefault?: string }> = {
  HESTIA_HOST: { meaning: 'Address to listen on.' },
  HESTIA_PORT: { meaning: 'Port to listen on, 0 to 65535.' },
  HESTIA_DATA_DIR: {
    meaning:
      "Folder of the database, the journal of audit records with its views, head and keys, the log file, and the operator's key.",
  },
  HESTIA_CONFIG: { meaning: 'The configuration file.', byDefault: '`./hestia.config.json`' },
  HESTIA_LOG_FILE: { meaning: 'The log file, as NDJSON.', byDefault: '`hestia.log` in the data folder' },
  HESTIA_LOG_BYTES_MAX: {
    meaning:
      'The size in bytes, at least 65536, at which the log file is renamed to `<file>.1`, and older ones to `.2` up to `.5`. Unset: never.',
  },
  HESTIA_LOG_LEVEL: { meaning: 'The lowest level that is logged: `debug`, `info`, `warn` or `error`.' },
  HESTIA_CAPTURE_CONTENT: { meaning: '`on` adds redacted tool arguments and results to spans.' },
  HESTIA_CHROMA_URL: { meaning: 'A Chroma server that stores the vectors of search.', byDefault: 'in process' },
  HESTIA_EMBEDDINGS_URL: { meaning: 'An embeddings service in the OpenAI format.', byDefault: 'none' },
  HESTIA_EMBEDDINGS_MODEL: {
    meaning:
      'The model of that service. Without a service: `static`, the model of the repository; `words`, no model; `default`, a transformer in process.',
    byDefault: '`static`',
  },
  HESTIA_EMBEDDINGS_KEY: { meaning: 'The API key of that service.', byDefault: 'none' },
  HESTIA_OAUTH_CLIENT_SECRET: {
    meaning: 'The secret of the client `policy.oauth.clientId`, unless it is a public one.',
    byDefault: 'unset',
  },
  HESTIA_LOGIN_KEY: {
    meaning: 'The key that encrypts the logins to upstream servers, 64 hexadecimal digits.',
    byDefault: 'the file `logins.keyFile`',
  },
  HESTIA_DATABASE_URL: { meaning: 'Reserved. A hub with this variable does not start.', byDefault: 'unset' },
  OTEL_SDK_DISABLED: {
    meaning:
      '`true` makes no spans and exports nothing. The console then has no traces; with all exporters `none` it has.',
  },
  OTEL_SERVICE_NAME: { meaning: 'The resource attribute `service.name`.', byDefault: '`hestia`' },
  OTEL_RESOURCE_ATTRIBUTES: { meaning: 'Further resource attributes, `key=value` pairs.', byDefault: 'none' },
  OTEL_TRACES_EXPORTER: { meaning: '`otlp` or `none`.' },
  OTEL_METRICS_EXPORTER: { meaning: '`otlp` or `none`.' },
  OTEL_LOGS_EXPORTER: { meaning: '`otlp` or `none`.' },
  OTEL_EXPORTER_OTLP_PROTOCOL: { meaning: '`http/protobuf` or `http/json`.' },
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: { meaning: 'The same for traces alone.', byDefault: 'as above' },
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: { meaning: 'The same for metrics alone.', byDefault: 'as above' },
  OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: { meaning: 'The same for logs alone.', byDefault: 'as above' },
  OTEL_TRACES_SAMPLER: {
    meaning:
      'A sampler of the SDK. Unless it is set, every trace is recorded, also one that its caller does not sample.',
    byDefault: 'all traces',
  },
  OTEL_BSP_MAX_QUEUE_SIZE: { meaning: 'Spans that wait for export, at most.' },
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: { meaning: 'Spans in one export, at most.' },
  OTEL_BSP_SCHEDULE_DELAY: { meaning: 'Time between two exports of spans, in milliseconds.' },
  OTEL_BSP_EXPORT_TIMEOUT: { meaning: 'Deadline of an export of spans, in milliseconds.' },
  OTEL_BLRP_MAX_QUEUE_SIZE: { meaning: 'Log records that wait for export, at most.' },
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: { meaning: 'Log records in one export, at most.' },
  OTEL_BLRP_SCHEDULE_DELAY: { meaning: 'Time between two exports of log records, in milliseconds.' },
  OTEL_BLRP_EXPORT_TIMEOUT: { meaning: 'Deadline of an export of log records, in milliseconds.' },
  OTEL_METRIC_EXPORT_INTERVAL: { meaning: 'Time between two exports of metrics, in milliseconds.' },
  OTEL_METRIC_EXPORT_TIMEOUT: { meaning: 'Deadline of an export of metrics, in milliseconds.' },
};

/** The section, with its heading. */
export function configurationSection(): string {
  return `## Configuration

An unknown \`HESTIA_…\` variable, an unknown key of the file or a bad value stops the start with one line that names it. A server whose entry cannot be
used stops nothing: it is listed as \`misconfigured\`, with the reason. An empty variable counts as unset. Environment variables and the file have no key in common.

### Environment variables

${table(['variable', 'default', 'meaning'], variableRows())}

The exporters read the remaining \`OTEL_EXPORTER_OTLP_…\` variables themselves, such as \`OTEL_EXPORTER_OTLP_ENDPOINT\` and
\`OTEL_EXPORTER_OTLP_HEADERS\`.

### Configuration file

\`hestia.config.json\`, or the file that \`HESTIA_CONFIG\` names. Its JSON Schema is [hestia.config.schema.json](hestia.config.schema.json).
Relative paths start at the file's folder.

${table(['key', 'values', 'default', 'meaning'], keyRows())}
`;
}

function variableRows(): Row[] {
  const defaults: Record<string, unknown> = environmentSchema.parse({});
  return Object.entries(variables).map(([name, { meaning, byDefault }]) => [
    `\`${name}\``,
    byDefault ?? `\`${String(defaults[name])}\``,
    meaning,
  ]);
}

function keyRows(): Row[] {
  return objectRows(jsonSchemaSchema.parse(z.toJSONSchema(configurationFileSchema, { io: 'input' })), '');
}

/** The longest default that is shown; a longer one is counted. */
const defaultLengthMax = 60;

function objectRows(schema: JsonSchema, prefix: string): Row[] {
  return propertiesOf(schema).flatMap(([property, value]) => {
    const key = `${prefix}${property.replace(/\?$/, '')}`;
    const isGroup = value.properties !== undefined;
    const row = [`\`${key}\``, isGroup ? 'object' : valuesOf(value), shortDefault(value), value.description ?? ''];
    const own = isGroup && value.description === undefined ? [] : [row];
    return [...own, ...variantRows(value, `${key}.<name>.`), ...(isGroup ? objectRows(value, `${key}.`) : [])];
  });
}

/** The keys of the objects that an open record holds, each key once with the values of all of them. */
function variantRows({ additionalProperties }: JsonSchema, prefix: string): Row[] {
  const held = jsonSchemaSchema.safeParse(additionalProperties);
  const rows = (held.data?.anyOf ?? []).flatMap((variant) => objectRows(variant, prefix));
  const byKey = Map.groupBy(rows, ([key]) => key);
  return [...byKey.values()].map((same) => {
    const [key = '', , byDefault = '', meaning = ''] = same[0] ?? [];
    return [key, [...new Set(same.map(([, values = '']) => values))].join(', '), byDefault, meaning];
  });
}

function shortDefault(schema: JsonSchema): string {
  const text = defaultOf(schema);
  const { default: value } = schema;
  return text.length > defaultLengthMax && Array.isArray(value) ? `a list of ${value.length}` : text;
}
