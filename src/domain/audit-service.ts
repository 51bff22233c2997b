/** The trail as callers may read it: list, verify, export. */
import { setImmediate } from 'node:timers/promises';
import type { Caller } from '../shapes/access.ts';
import type { AuditQuery, AuditRecord, AuditVerdict } from '../shapes/audit.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access-guard.ts';
import type { AuditTrail } from './audit-trail.ts';

/** Reading the trail. Errors: FORBIDDEN, STORAGE_FAILED. */
export interface AuditService {
  list(caller: Caller, query: AuditQuery): Promise<AuditRecord[]>;
  verify(caller: Caller): Promise<AuditVerdict>;
  /** All records from the oldest on, in pages; read while it is consumed. */
  export(caller: Caller): Promise<AsyncIterable<readonly AuditRecord[]>>;
}

/** Records read at once for an export. */
const pageSize = 500;

/** Makes the service. */
export function createAuditService({ trail, guard }: { trail: AuditTrail; guard: AccessGuard }): AuditService {
  async function* pages(): AsyncGenerator<readonly AuditRecord[]> {
    let after = 0;
    while (true) {
      const page = await trail.list({ after, limit: pageSize });
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last.seq;
      await setImmediate();
    }
  }
  return {
    list: async (caller, query) => {
      await guard.require(caller, 'audit.read');
      return trail.list(query);
    },
    verify: async (caller) => {
      await guard.require(caller, 'audit.read');
      return inSpan('audit.verify', {}, (span) => trail.verify(caller, span));
    },
    export: async (caller) => {
      await guard.require(caller, 'audit.read');
      return pages();
    },
  };
}
