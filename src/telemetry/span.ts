/**
 * Helpers that open spans, run work inside them, and mark them as failed.
 * A failure sets an attribute and the status. The exception itself is a log record (semantic conventions, 2026).
 */
import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { HestiaError } from '../shapes/error.ts';
import { attributes, scopeName } from './names.ts';

/** Options of a new span. */
export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  links?: Link[];
  /** The parent; the active context by default. `ROOT_CONTEXT` creates a root span. */
  parent?: Context;
}

/**
 * Runs `work` inside a new active span, and ends the span. If `work` throws, the span is marked as failed with the error's type,
 * and the error is thrown unchanged.
 */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = openSpan(name, options);
  try {
    return await context.with(trace.setSpan(parent, span), work, undefined, span);
  } catch (error) {
    if (!failedSpans.has(span)) failSpan(span, errorTypeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Runs `work` with the active span, or inside a new one of this name if none is active. */
export function inActiveSpan<T>(name: string, work: (span: Span) => Promise<T>): Promise<T> {
  const active = trace.getActiveSpan();
  return active ? work(active) : inSpan(name, {}, work);
}

/** Opens a span without making it active. The caller ends it. Attributes are set one by one, which is faster. */
export function openSpan(name: string, options: SpanOptions): Span {
  const span = trace
    .getTracer(scopeName)
    .startSpan(
      name,
      { kind: options.kind ?? SpanKind.INTERNAL, ...(options.links && { links: options.links }) },
      options.parent ?? context.active(),
    );
  for (const [key, value] of Object.entries(options.attributes ?? {})) {
    if (value !== undefined && value !== null) span.setAttribute(key, value);
  }
  return span;
}

/** Marks a span as failed with `error.type` and status ERROR, without any text from outside. */
export function failSpan(span: Span, errorType: string): void {
  failedSpans.add(span);
  span.setAttribute(attributes.errorType, errorType);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Spans that are marked as failed already. An error thrown afterwards does not change their type. */
const failedSpans = new WeakSet<Span>();

/** The error type of a failure: the code of a {@link HestiaError}, or `_OTHER` for any other error. */
export function errorTypeOf(error: unknown): string {
  return error instanceof HestiaError ? error.code : '_OTHER';
}
