/** Runs Helm on the chart of the repository. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { kubernetesTool } from './kubernetes-tools.ts';

const chart = fileURLToPath(new URL('../../../chart', import.meta.url));
/** The release and its namespace in tests. */
const release = ['hestia', '--namespace', 'agents'];

const objectSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
});
/** An object that the chart makes. */
export type ChartObject = z.infer<typeof objectSchema>;

/** Checks the chart with these values as `helm lint --strict` does. */
export function lintChart(values: object) {
  return helm(['lint', '--strict', chart, '--namespace', 'agents'], values);
}

/** The manifest that the chart makes of these values. @throws Error with what Helm says */
export function renderedChart(values: object): string {
  const { status, stdout, stderr } = helm(['template', ...release, chart], values);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The objects that the chart makes of these values. @throws Error with what Helm says */
export function chartObjects(values: object): ChartObject[] {
  return parseAllDocuments(renderedChart(values)).flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [objectSchema.parse(value)];
  });
}

/** The first object of this kind whose name has this end. @throws Error if there is none */
export function chartObject(objects: readonly ChartObject[], kind: string, nameEnd = ''): ChartObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name.endsWith(nameEnd));
  if (found === undefined) throw new Error(`there is no ${kind} whose name ends with "${nameEnd}"`);
  return found;
}

function helm(args: readonly string[], values: object) {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-helm-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    const options = { encoding: 'utf8', env: { HOME: folder }, maxBuffer: 2 ** 26 } as const;
    return spawnSync(kubernetesTool('helm'), [...args, '--values', file], options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
