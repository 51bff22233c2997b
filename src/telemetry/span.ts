/**
 * Spans by hand: one helper that opens a span, runs the work inside it and closes it with what went wrong.
 * A failure is an attribute and a status here; the exception itself is a log record (semantic conventions, 2026).
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

/** How a span is opened. */
export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  links?: Link[];
  /** The parent; the active context if none is given. `ROOT_CONTEXT` makes a root. */
  parent?: Context;
}

/**
 * Runs `work` inside a new span that is active meanwhile, and ends it. A throw marks the span failed with the
 * error's type and is passed on unchanged.
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

/** Runs `work` with the span that is active, or inside a new one of this name where none is. */
export function inActiveSpan<T>(name: string, work: (span: Span) => Promise<T>): Promise<T> {
  const active = trace.getActiveSpan();
  return active ? work(active) : inSpan(name, {}, work);
}

/** Opens a span without making it active; the caller ends it. Attributes are set one by one, which is cheaper. */
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

/** Marks a span failed: `error.type` and status ERROR, with no text that came from outside. */
export function failSpan(span: Span, errorType: string): void {
  failedSpans.add(span);
  span.setAttribute(attributes.errorType, errorType);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Spans that say already why they failed; what is thrown in consequence does not change it. */
const failedSpans = new WeakSet<Span>();

/** The error type of a failure: the code of a {@link HestiaError}, `_OTHER` for the unforeseen. */
export function errorTypeOf(error: unknown): string {
  return error instanceof HestiaError ? error.code : '_OTHER';
}
