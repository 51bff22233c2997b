/** Exports of the audit trail, fetched from a hub and split into lines and records. */
import type { TestKey } from './hub/hub.ts';

/** A hub, or a key to one. */
export type Exporting = Pick<TestKey, 'fetch'>;

/** The lines of an export. Requesting one makes the hub sign all records. */
export async function exportedLines({ fetch }: Exporting, query = ''): Promise<string[]> {
  const response = await fetch(`/v1/audit/export${query}`);
  if (!response.ok) throw new Error(`exporting: ${await response.text()}`);
  return (await response.text()).trimEnd().split('\n');
}

/** The records among the lines of an export. */
// biome-ignore lint/suspicious/noExplicitAny: what they hold is what the test finds out
export async function exportedRecords(hub: Exporting): Promise<any[]> {
  return (await exportedLines(hub)).map((line) => JSON.parse(line)).filter(({ seq }) => seq !== undefined);
}
