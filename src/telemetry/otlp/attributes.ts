/**
 * Encodes attributes as OTLP protobuf. Most have one of a few values: their bytes are kept and copied.
 */
import type { AnyValue, Attributes } from '@opentelemetry/api';
import { ProtobufWriter } from './protobuf-writer.ts';

/** The most values of an attribute whose bytes are kept. One with more, such as an id, is encoded each time. */
const valuesMax = 128;
/** The most attributes whose values are kept. There are about a hundred in all. */
const attributesMax = 512;
/** The longest value that is kept, in UTF-16 units. */
const keptLengthMax = 128;

/** The bytes of an attribute by its value; undefined for one with too many values. */
const kept = new Map<string, Map<AnyValue, Buffer> | undefined>();
const single = new ProtobufWriter();

/** Writes attributes as fields of `KeyValue`. Returns false for a value other than a text, a number or a boolean. */
export function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes | undefined): boolean {
  for (const key in attributes) {
    if (!Object.hasOwn(attributes, key)) continue;
    const value = attributes[key];
    const known = kept.get(key)?.get(value);
    if (known !== undefined) writer.message(field, known);
    else if (!writeAttribute(writer, field, key, value)) return false;
  }
  return true;
}

function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: AnyValue | undefined): boolean {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false;
  if (mayKeep(key, value)) {
    single.reset();
    writeMembers(single, key, value);
    const bytes = single.copy();
    kept.get(key)?.set(value, bytes);
    writer.message(field, bytes);
    return true;
  }
  const start = writer.begin(field);
  writeMembers(writer, key, value);
  writer.end(start);
  return true;
}

/** Whether the bytes of this attribute are kept from now on. */
function mayKeep(key: string, value: string | number | boolean): boolean {
  if (typeof value === 'string' && value.length > keptLengthMax) return false;
  const values = kept.get(key);
  if (values === undefined) {
    if (kept.has(key) || kept.size >= attributesMax) return false;
    kept.set(key, new Map());
    return true;
  }
  if (values.size < valuesMax) return true;
  kept.set(key, undefined);
  return false;
}

/** Writes the members of a `KeyValue`. */
function writeMembers(writer: ProtobufWriter, key: string, value: string | number | boolean): void {
  writer.text(1, key);
  const start = writer.begin(2);
  if (typeof value === 'string') writer.text(1, value);
  else if (typeof value === 'boolean') writer.varint(2, value ? 1 : 0);
  else if (isInt64(value)) writer.varint(3, value);
  else writer.double(4, value);
  writer.end(start);
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}
