/**
 * The worker thread that checks arguments against schemas whose cost is high or unknown. It is ended from outside when a
 * check takes too long.
 */
import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { jsonObjectSchema } from '../../shapes/json.ts';
import { type CompiledSchema, createSchemaCompiler } from './schema-compiler.ts';

const requestSchema = z.object({
  schemaId: z.int(),
  /** Absent for a schema that the thread has compiled before. */
  schema: jsonObjectSchema.optional(),
  value: z.unknown(),
});

const compile = createSchemaCompiler();
const compiled = new Map<number, CompiledSchema | undefined>();

parentPort?.on('message', (message: unknown) => {
  const { schemaId, schema, value } = requestSchema.parse(message);
  if (schema !== undefined) compiled.set(schemaId, compile(schema));
  parentPort?.postMessage({ step: 'compiled' });
  const check = compiled.get(schemaId);
  parentPort?.postMessage({ step: 'checked', violations: check?.(value) });
});
// The validators compile the schemas of schemas with their first one, which would count as its time.
for (const $schema of ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#']) {
  compile({ $schema });
}
parentPort?.postMessage({ step: 'ready' });
