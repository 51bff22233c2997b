/** Storage failures of a running hub: an exception on a log record, and the audit gap as a metric. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import { refuseRecords } from '../support/journal-fault.ts';
import { supportServer } from '../support/servers/support-server.ts';

describe('a hub whose storage fails', () => {
  let observed: ObservedHub;
  beforeAll(async () => {
    const file = { policy: { auditMode: 'best-effort' } };
    observed = await startObservedHub({ faulty: supportServer('faulty-server.ts') }, { file });
  });
  afterAll(() => observed[Symbol.asyncDispose]());

  test('returns the result of a call, and reports by the audit gap and an exception that the call is not recorded', async () => {
    const before = (await json(observed.hub.fetch('/v1/audit/verify'))).lastSeq;
    const refused = refuseRecords(join(observed.hub.folder, 'data'));
    const answer = await json(observed.hub.fetch('/v1/tools/faulty/pid/call', { json: {} }));
    refused[Symbol.dispose]();
    expect(answer.outcome).toBe('success');
    const record = await observed.receiver.waitFor(() =>
      observed.receiver.logRecords().find(({ body }) => body === 'An event could not be recorded'),
    );
    const span = await observed.span('tools/call pid');
    expect(record).toMatchObject({
      traceId: span.traceId,
      spanId: span.spanId,
      severityText: 'ERROR',
      attributes: {
        'exception.type': 'STORAGE_FAILED',
        'exception.message': 'the open segment of the journal was moved or deleted',
        'exception.stacktrace': expect.stringMatching(/\n? +at /),
      },
    });
    expect(span.events).toMatchObject([{ name: 'outcome.record' }]);
    await observed.receiver.waitFor(() => observed.total('hestia.audit.gap') === 1);
    expect(observed.total('hestia.audit.records')).toBe(before);
    expect(observed.total('hestia.tool.outcomes', { 'gen_ai.tool.name': 'pid' })).toBe(1);
    expect(await json(observed.hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true, lastSeq: before });
  });

  test('refuses a request that it cannot read data for, and gives the reason in the log only', async () => {
    const breaker = new DatabaseSync(join(observed.hub.folder, 'data', 'hestia.db'), { timeout: 5000 });
    breaker.exec('ALTER TABLE skills RENAME TO skills_gone');
    breaker.close();
    const response = await observed.hub.fetch('/v1/skills');
    const problem = await json(response);
    expect(response.status).toBe(503);
    expect(problem).toMatchObject({ code: 'STORAGE_FAILED', traceId: expect.any(String) });
    expect(JSON.stringify(problem)).not.toMatch(/skills_gone|no such table|SQLITE|\bat .*:\d+/);
    const record = await observed.receiver.waitFor(() =>
      observed.receiver
        .logRecords()
        .find(({ traceId, body }) => traceId === problem.traceId && body === 'A request failed'),
    );
    expect(record.attributes).toMatchObject({ code: 'STORAGE_FAILED', 'exception.type': 'STORAGE_FAILED' });
    expect(await observed.span('GET /v1/skills', problem.traceId)).toMatchObject({
      status: { code: 'ERROR', message: '' },
      attributes: { 'http.response.status_code': 503 },
    });
  });
});
