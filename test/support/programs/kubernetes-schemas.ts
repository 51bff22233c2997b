/**
 * Schemas for kubeconform, from the OpenAPI document of Kubernetes and the definitions of custom resources, strict as those
 * that it fetches by default: a field that is not described is refused.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { kubernetesTool } from './kubernetes-tools.ts';

const nodeSchema = z.record(z.string(), z.unknown());
const kindSchema = z.object({ group: z.string(), version: z.string(), kind: z.string() });
const documentSchema = z.object({
  definitions: z.record(
    z.string(),
    z.looseObject({ 'x-kubernetes-group-version-kind': kindSchema.array().optional() }),
  ),
});
const resourceSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: z.unknown() }) })),
  }),
});

const customResources = ['servicemonitors', 'prometheusrules'];
const definitionPrefix = '#/definitions/';

/** Writes the schemas of these kinds, and of custom resources, into a folder. Returns the location for kubeconform. */
export function writeKubernetesSchemas(folder: string, kinds: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  // As kubeconform names them: `statefulset-apps-v1`, `networkpolicy-networking-v1`, `service-v1`.
  const write = ({ group, version, kind }: z.infer<typeof kindSchema>, schema: unknown) => {
    const name = [kind, group.split('.')[0], version].filter((part) => part !== '').join('-');
    writeFileSync(join(folder, `${name.toLowerCase()}.json`), JSON.stringify(schema));
  };
  const { definitions } = documentSchema.parse(JSON.parse(readFileSync(kubernetesTool('swagger.json'), 'utf8')));
  for (const [name, definition] of Object.entries(definitions)) {
    const [kind] = definition['x-kubernetes-group-version-kind'] ?? [];
    if (kind === undefined || !kinds.includes(kind.kind) || !name.endsWith(`.${kind.kind}`)) continue;
    const needed = [...neededDefinitions(name, definitions)].map((key) => [key, strict(definitions[key])]);
    write(kind, { $ref: `${definitionPrefix}${name}`, definitions: Object.fromEntries(needed) });
  }
  for (const resource of customResources) {
    const text = readFileSync(kubernetesTool(`monitoring.coreos.com_${resource}.yaml`), 'utf8');
    const { group, names, versions } = resourceSchema.parse(parse(text)).spec;
    for (const { name, schema } of versions)
      write({ group, version: name, kind: names.kind }, strict(schema.openAPIV3Schema));
  }
  return join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
}

/** The names of a definition and of all that it refers to. */
function neededDefinitions(name: string, definitions: Record<string, unknown>): Set<string> {
  const needed = new Set([name]);
  for (const key of needed) {
    for (const [, found = ''] of JSON.stringify(definitions[key]).matchAll(/"#\/definitions\/([^"]+)"/g))
      needed.add(found);
  }
  return needed;
}

/** The schema, in which an object has no other fields than those described. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  const parsed = nodeSchema.safeParse(value);
  if (!parsed.success) return value;
  const node = Object.fromEntries(Object.entries(parsed.data).map(([key, child]) => [key, strict(child)]));
  if (node['x-kubernetes-int-or-string'] === true || node.format === 'int-or-string')
    return { type: ['integer', 'string'] };
  const isOpen = 'additionalProperties' in node || node['x-kubernetes-preserve-unknown-fields'] === true;
  return node.type === 'object' && 'properties' in node && !isOpen ? { ...node, additionalProperties: false } : node;
}
