/** Values of the chart as users combine them. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** What the sidecar needs. */
export const sidecar = {
  enabled: true,
  tempoUrl: 'http://tempo.monitoring:4318',
  lokiUrl: 'http://loki.monitoring:3100/otlp',
};

/** An installation that uses every part of the chart. */
export const everything = {
  image: { repository: 'registry.example/hestia', digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  config: {
    mcpServers: { search: { url: 'https://search.example/mcp', headers: { Authorization: 'Bearer ${SEARCH_TOKEN}' } } },
    policy: { allowedHosts: ['hub.example'] },
  },
  env: { HESTIA_LOG_LEVEL: 'debug' },
  secret: { SEARCH_TOKEN: 'a-secret' },
  ingress: { enabled: true, host: 'hestia.example', className: 'nginx', tlsSecret: 'hestia-tls' },
  networkPolicy: {
    from: [{ namespaceSelector: { matchLabels: { team: 'agents' } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
  },
  collector: { sidecar },
  environmentName: 'production',
  serviceMonitor: { enabled: true, labels: { release: 'kube-prometheus-stack' } },
  prometheusRule: { enabled: true },
  dashboards: { enabled: true, namespace: 'monitoring' },
  podAnnotations: { 'example.com/note': 'kept' },
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  extraVolumes: [{ name: 'skills', configMap: { name: 'skills' } }],
  extraVolumeMounts: [{ name: 'skills', mountPath: '/skills', readOnly: true }],
};

/** An installation whose telemetry goes to a collector that exists, with secrets that exist. */
export const elsewhere = {
  collector: { url: 'http://otel-collector.monitoring:4318' },
  existingSecret: 'hestia-secrets',
  prometheusRule: { enabled: true },
  dashboards: { enabled: true },
  runbookUrl: 'https://wiki.example/hestia',
};

/** The example of docs/operate.md. */
function documented(): object {
  const page = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8');
  const text = /```yaml\n(image: [^`]*)```/.exec(page)?.[1];
  return z.looseObject({ image: z.looseObject({}), collector: z.looseObject({}) }).parse(parse(text ?? ''));
}

/** All, by what is special about them. */
export const installations: Readonly<Record<string, object>> = {
  'without values': {},
  'with everything': everything,
  'as in the documentation': documented(),
  'with a collector and a secret that exist': elsewhere,
  'without storage, policy and budget': {
    persistence: { enabled: false },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    collector: { sidecar },
    service: { type: 'NodePort', port: 80 },
  },
  'with a claim that exists, and another name': {
    persistence: { existingClaim: 'hestia-data' },
    fullnameOverride: 'hub',
  },
};
