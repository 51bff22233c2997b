/** The schema of the chart's values, with that of hestia.config.json in it: Helm refuses what the hub would refuse. */
import { z } from 'zod';
import { configurationFileSchema } from '../../../src/shapes/configuration/config.ts';

/** A part of a Kubernetes object, which the cluster checks. */
const object = z.record(z.string(), z.unknown()).optional();
const objects = z.array(z.record(z.string(), z.unknown())).optional();
const texts = z.record(z.string(), z.string()).optional();
const flag = z.boolean().optional();
const text = z.string().optional();

const port = z.int().min(1).max(65_535);
/** A Kubernetes quantity of bytes, such as `8Gi`. */
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/)
  .describe('Bytes, as in 8Gi.');
const httpUrl = (example: string) =>
  z
    .string()
    .regex(/^(https?:\/\/.+)?$/)
    .optional()
    .describe(`As in ${example}.`);
const host = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$/)
  .optional();

/** Variables that the chart sets itself: its ports, paths and probes rely on them. */
const ownVariables = ['HESTIA_HOST', 'HESTIA_PORT', 'HESTIA_DATA_DIR', 'HESTIA_CONFIG'];
const environment = z
  .strictObject(Object.fromEntries(ownVariables.map((name) => [name, z.never().optional()])))
  .catchall(z.union([z.string(), z.number(), z.boolean()]))
  .optional();

const image = z.strictObject({
  repository: z.string().min(1),
  tag: text.describe('The version of the chart if empty.'),
  digest: z
    .string()
    .regex(/^(sha256:[0-9a-f]{64})?$/)
    .optional()
    .describe('If set, the tag is ignored.'),
  pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
});

const sidecar = z.strictObject({
  enabled: flag,
  image: z.string().min(1).optional(),
  tempoUrl: httpUrl('http://tempo.monitoring:4318'),
  lokiUrl: httpUrl('http://loki.monitoring:3100/otlp'),
  traceSharePercent: z.number().min(0).max(100).optional(),
  resources: object,
  queue: z.strictObject({ size: quantity.optional(), storageClass: text }).optional(),
});

const valuesSchema = z.strictObject({
  global: z.unknown().optional(),
  image: image.optional(),
  imagePullSecrets: z.array(z.strictObject({ name: z.string().min(1) })).optional(),
  nameOverride: text,
  fullnameOverride: text,
  config: configurationFileSchema.optional().describe('hestia.config.json.'),
  env: environment.describe('Environment variables of the hub.'),
  existingSecret: text.describe('The Secret whose keys are environment variables of the hub.'),
  secret: texts,
  resources: object,
  persistence: z
    .strictObject({ enabled: flag, size: quantity.optional(), storageClass: text, existingClaim: text })
    .optional(),
  service: z
    .strictObject({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).optional(),
      port: port.optional(),
      annotations: texts,
    })
    .optional(),
  ingress: z
    .strictObject({
      enabled: flag,
      className: text,
      host,
      path: z.string().regex(/^\//).optional(),
      tlsSecret: text,
      annotations: texts,
    })
    .optional(),
  podDisruptionBudget: z.strictObject({ enabled: flag, maxUnavailable: z.int().min(0).max(1).optional() }).optional(),
  networkPolicy: z.strictObject({ enabled: flag, from: objects, metricsFrom: objects, egress: objects }).optional(),
  collector: z
    .strictObject({ sidecar: sidecar.optional(), url: httpUrl('http://otel-collector.monitoring:4318') })
    .optional(),
  environmentName: z
    .string()
    .regex(/^[A-Za-z0-9._-]*$/)
    .optional(),
  serviceMonitor: z
    .strictObject({
      enabled: flag,
      interval: z
        .string()
        .regex(/^[0-9]+(ms|s|m)$/)
        .optional(),
      labels: texts,
    })
    .optional(),
  prometheusRule: z.strictObject({ enabled: flag, labels: texts }).optional(),
  runbookUrl: httpUrl('https://example.com/runbook'),
  dashboards: z.strictObject({ enabled: flag, namespace: text, labels: texts, annotations: texts }).optional(),
  podAnnotations: texts,
  podLabels: texts,
  nodeSelector: texts,
  tolerations: objects,
  affinity: object,
  priorityClassName: text,
  extraVolumes: objects,
  extraVolumeMounts: objects,
});

/** chart/values.schema.json. */
export function chartValuesSchema(): object {
  return z.toJSONSchema(valuesSchema, { io: 'input' });
}
