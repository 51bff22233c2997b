/**
 * A minimal service with telemetry, as the baseline of start times.
 * It consists of Hono and the SDK with the hub's exporters, and answers `/readyz` on the port HESTIA_PORT.
 */
import { serve } from '@hono/node-server';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { Hono } from 'hono';

const sdk = new NodeSDK({
  resource: resourceFromAttributes({ 'service.name': 'empty' }),
  autoDetectResources: false,
  instrumentations: [],
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
  metricReaders: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
});
sdk.start();
const app = new Hono();
app.get('/readyz', (c) => c.json({ status: 'ready' }));
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.HESTIA_PORT) });
// A regular exit, so that Node.js writes its compile cache.
process.on('SIGTERM', () => process.exit());
