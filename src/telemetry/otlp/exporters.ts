/** The exporters of spans and log records over OTLP/HTTP with protobuf, with the encoding of the hub. */
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { LogsExporterMetricsHelper, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { logSerializer, spanSerializer } from './encoding.ts';

const contentType = { 'Content-Type': 'application/x-protobuf' };

/** An exporter of spans, configured by the `OTEL_EXPORTER_OTLP_…` variables. */
export function createSpanExporter(): SpanExporter {
  const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', contentType);
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(
      options,
      spanSerializer,
      'otlp_http_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
}

/** An exporter of log records, configured by the `OTEL_EXPORTER_OTLP_…` variables. */
export function createLogExporter(): LogRecordExporter {
  const options = convertLegacyHttpOptions({}, 'LOGS', 'v1/logs', contentType);
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(
      options,
      logSerializer,
      'otlp_http_log_exporter',
      LogsExporterMetricsHelper,
      undefined,
    ),
  );
}
