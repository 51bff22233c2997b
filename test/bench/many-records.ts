/** An audit trail with many records of the last day: calls of 500 tools by 50 agents, and security events. */
import { randomBytes } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import { auditEntry } from '../../src/domain/audit/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { recordLine } from '../../src/journal/record-line.ts';
import type { HubEvent } from '../../src/shapes/event.ts';

const dayMs = 86_400_000;
/** Records of one group while the journal is filled. */
const groupSize = 500;
/** One record of so many is a security event. */
const securityEvery = 100;

/** Appends the records, whose times are spread over the last day. */
export async function fillTrail(journal: Journal, count: number): Promise<void> {
  const startMs = Date.now() - dayMs;
  for (let at = 0; at < count; at += groupSize) {
    const group = Array.from({ length: Math.min(groupSize, count - at) }, (_, index) => at + index);
    await Promise.all(group.map((index) => appendOne(journal, index, startMs + Math.floor((dayMs * index) / count))));
  }
}

async function appendOne(journal: Journal, index: number, timeMs: number): Promise<void> {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), traceFlags: 1 };
  const agentId = `agent-${index % 50}`;
  const by = { agentId, namespace: 'default', keyId: '0123456789abcdef', role: 'agent' } as const;
  const span = trace.wrapSpanContext(ids);
  const entry = auditEntry({ event: eventOf(index, agentId), by, span }, { writerId: 'writer_bench', timeMs });
  await journal.append((seq) => recordLine(entry, seq));
}

function eventOf(index: number, agentId: string): HubEvent {
  if (index % securityEvery === 0)
    return { kind: 'security', name: 'ACCESS_DENIED', failed: true, fields: { agent_id: agentId, reason: 'role' } };
  const outcome = index % 37 === 0 ? 'error' : index % 91 === 0 ? 'timeout' : 'success';
  const names = { tool_name: `tool-${index % 500}`, server_id: `server-${index % 20}` };
  const fields = { ...names, outcome, latency_ms: 1 + (index % 400) / 4, agent_id: agentId };
  return { kind: 'tool_outcome', outcome, fields };
}
