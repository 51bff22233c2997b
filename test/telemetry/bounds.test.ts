/** Limits on what callers can put into telemetry: labels, trace context, content. */
import { propagation, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { printable, truncated } from '../../src/shapes/text.ts';
import { redactedContent } from '../../src/telemetry/content.ts';
import { createLabelLimit } from '../../src/telemetry/label.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { remoteContext } from '../../src/telemetry/propagation.ts';
import { readMetrics } from '../support/telemetry/metric-reader.ts';

describe('a label limit', () => {
  test('keeps the first values and replaces all others by one', () => {
    let folded = 0;
    const limit = createLabelLimit(3, () => {
      folded += 1;
    });
    const values = Array.from({ length: 10_000 }, (_, index) => limit(`tool-${index}`));
    expect(new Set(values)).toEqual(new Set(['tool-0', 'tool-1', 'tool-2', '_other']));
    expect(limit('tool-1')).toBe('tool-1');
    expect(folded).toBe(9997);
  });
});

describe('metrics with ever new names from callers', () => {
  test('keep a bounded number of series and count the replaced values', async () => {
    using reader = readMetrics();
    const metrics = createMetrics();
    for (let index = 0; index < 10_000; index += 1) {
      const toolName = `tool-${index}`;
      metrics.toolOutcome('success', 'everything', toolName);
      metrics.mcpServerOperation(0.1, { method: 'tools/call', toolName });
      metrics.mcpClientOperation(0.1, { method: 'tools/call', toolName, serverId: 'everything' });
      metrics.skillsActive(1, `namespace-${index}`);
    }
    const collected = await reader.collect();
    for (const { descriptor, dataPoints } of collected) {
      expect(dataPoints.length, descriptor.name).toBeLessThanOrEqual(4 * 201);
      expect(dataPoints.some(({ attributes }) => attributes['otel.metric.overflow'] === true)).toBe(false);
    }
    const folded = collected.find(({ descriptor }) => descriptor.name === 'hestia.telemetry.label_overflow');
    const counts = Object.fromEntries(
      (folded?.dataPoints ?? []).map(({ attributes, value }) => [attributes['hestia.label.name'], value]),
    );
    expect(counts).toEqual({ tool_name: 3 * 9800, namespace: 9950 });
    expect(JSON.stringify(collected)).not.toContain('tool-9999');
  });
});

describe('trace context from a caller', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  test('is accepted if it is well-formed', () => {
    const context = remoteContext({ traceparent, tracestate: 'v=1', baggage: 'team=red' });
    expect(context && trace.getSpanContext(context)).toMatchObject({
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      isRemote: true,
    });
    expect(context && propagation.getBaggage(context)?.getEntry('team')?.value).toBe('red');
  });

  test.each([
    undefined,
    null,
    7,
    {},
    { traceparent: '' },
    { traceparent: 'nonsense' },
    { traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01` },
    { traceparent: 'a'.repeat(10_000) },
    { traceparent: [traceparent] },
  ])('is ignored if it is %j', (carrier) => {
    expect(remoteContext(carrier)).toBeUndefined();
  });

  test('with too large a state or baggage is accepted without them', () => {
    const context = remoteContext({
      traceparent,
      tracestate: `v=${'x'.repeat(600)}`,
      baggage: `k=${'x'.repeat(9000)}`,
    });
    expect(context && trace.getSpanContext(context)?.traceState).toBeUndefined();
    expect(context && propagation.getBaggage(context)).toBeUndefined();
  });
});

describe('captured content', () => {
  test('has secrets redacted by the names of their keys and by their form, at any depth', () => {
    const value = {
      user: 'ada',
      Password: 'p',
      nested: [{ api_key: 'k', note: 'Authorization: Bearer abc.def' }],
      jwt: 'eyJhbGciOi.eyJzdWIi.c2ln',
    };
    expect(redactedContent(value)).toBe(
      '{"user":"ada","Password":"[redacted]","nested":[{"api_key":"[redacted]","note":"Authorization: [redacted]"}],"jwt":"[redacted]"}',
    );
  });

  test.each([
    ['an AWS key', 'use AKIAIOSFODNN7EXAMPLE for it', 'use [redacted] for it'],
    ['a GitHub token', `push with ghp_${'a1'.repeat(18)}!`, 'push with [redacted]!'],
    ['a fine-grained GitHub token', `github_pat_${'A1_'.repeat(20)}`, '[redacted]'],
    ['a password in JSON', '{"user":"ada","password":"hunter2","n":1}', '{"user":"ada","password":"[redacted]","n":1}'],
    [
      'a secret in JSON within JSON',
      '{"body":"{\\"client_secret\\":\\"s3cr3t\\"}"}',
      '{"body":"{\\"client_secret\\":\\"[redacted]\\"}"}',
    ],
    ['an AWS secret in an assignment', 'AWS_SECRET_ACCESS_KEY=wJalr/XUtn+FEMI', 'AWS_SECRET_ACCESS_KEY=[redacted]'],
    ['a secret in YAML', 'db:\n  passwd: hunter2\n', 'db:\n  passwd: [redacted]\n'],
    [
      'a password of several words',
      '{"password":"correct horse \\" battery","n":1}',
      '{"password":"[redacted]","n":1}',
    ],
    ['a password with an apostrophe', `{"pwd":"it's mine","n":1}`, '{"pwd":"[redacted]","n":1}'],
    [
      'a header with its scheme',
      'Authorization: Basic YWRhOmh1bnRlcjI= and more',
      'Authorization: [redacted] and more',
    ],
    ['a signed URL', 'https://x/y?X-Amz-Signature=abc123&n=1', 'https://x/y?X-Amz-Signature=[redacted]&n=1'],
    ['a password in a URL', 'postgres://ada:hunter2@db/x', 'postgres://ada:[redacted]@db/x'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '[redacted]'],
  ])('has %s in a text redacted', (_what, text, expected) => {
    expect(redactedContent({ text })).toBe(printable(JSON.stringify({ text: expected })));
  });

  test.each([
    ['pairs', [['Authorization', 'Basic x']], [['Authorization', '[redacted]']]],
    ['objects', [{ name: 'API_KEY', value: 'x' }], [{ name: 'API_KEY', value: '[redacted]' }]],
    ['objects that are no secrets', [{ name: 'PORT', value: '1' }], [{ name: 'PORT', value: '1' }]],
  ])('has names and values in %s redacted', (_what, headers, expected) => {
    expect(redactedContent({ headers })).toBe(JSON.stringify({ headers: expected }));
  });

  test('leaves text about secrets as it is', () => {
    const text =
      'The password policy: see the page on tokens. A cookie recipe, 12 api keys, https://example.com:8080/a@b';
    expect(redactedContent({ text })).toBe(JSON.stringify({ text }));
  });

  test.each(['-pass'.repeat(4000), `${'a.'.repeat(8000)}`, `${'x://'.repeat(4000)}`, '"'.repeat(20_000)])(
    'takes linear time for any text',
    (text) => {
      const startedAt = performance.now();
      redactedContent({ text });
      expect(performance.now() - startedAt).toBeLessThan(5000);
    },
  );

  test('is empty if it is nested too deeply', () => {
    let nested: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
    expect(redactedContent(nested)).toBe('');
  });

  test('is truncated and printable', () => {
    const text = redactedContent({ long: 'x\n'.repeat(5000) });
    expect(text.length).toBeLessThanOrEqual(2000);
    expect(text).not.toContain('\n');
  });
});

describe('text', () => {
  test('stays the same when it is made printable twice', () => {
    expect(printable('a\u001b\u202eb')).toBe('a\\u001b\\u202eb');
    expect(printable(printable('a\nb'))).toBe(printable('a\nb'));
    expect(printable('grüße 你好 🙂')).toBe('grüße 你好 🙂');
  });

  test('is truncated between characters', () => {
    expect(truncated('abcdef', 4)).toBe('abc…');
    expect(truncated('ab🙂cd', 4).isWellFormed()).toBe(true);
    expect(truncated('abc', 3)).toBe('abc');
  });
});
