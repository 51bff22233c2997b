/** Renames the camelCase fields of an answer to snake_case; schemas and other content stay unchanged. */
import { isJsonObject, type JsonObject } from '../shapes/json.ts';

/** Fields whose values were written by a server or an author of skills, with names of their own. */
const contentFields: ReadonlySet<string> = new Set([
  'inputSchema',
  'outputSchema',
  'annotations',
  'execution',
  'meta',
  'metadata',
  'frontmatter',
]);

/** The answer with snake_case names at every depth. A field that is `undefined` is left out. */
export function snakeCaseFields(answer: object): JsonObject {
  const fields = Object.entries(answer).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    fields.map(([name, value]) => [snakeCaseName(name), contentFields.has(name) ? value : snakeCaseValue(value)]),
  );
}

function snakeCaseValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCaseValue);
  return isJsonObject(value) ? snakeCaseFields(value) : value;
}

function snakeCaseName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
