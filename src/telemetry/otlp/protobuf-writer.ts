/**
 * Writes the parts of protobuf messages that OTLP uses into one buffer, which grows and is reused.
 * Lengths are written in their shortest form, as the encoders of OpenTelemetry do.
 */

/** The wire types of the protobuf encoding. */
const varintType = 0;
const fixed64Type = 1;
const lengthType = 2;
const fixed32Type = 5;

const initialBytes = 65_536;
/** Room for a tag and a number, which have at most 10 bytes each. */
const smallBytesMax = 20;
const twoTo32 = 4_294_967_296;

/** Owns the buffer. Fields are numbered from 1 to 15, or 16 with a wire type of two bytes. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(initialBytes);
  #length = 0;

  /** Forgets what was written. */
  reset(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** A field of a message that was encoded before. */
  message(field: number, message: Uint8Array): void {
    this.#reserve(2 * smallBytesMax + message.length);
    this.#tag(field, lengthType);
    this.#number(message.length);
    this.#bytes.set(message, this.#length);
    this.#length += message.length;
  }

  /** A field of an unsigned number, or of a signed one in two's complement. It must be a safe integer. */
  varint(field: number, value: number): void {
    this.#reserve(smallBytesMax);
    this.#tag(field, varintType);
    if (value >= 0) this.#number(value);
    else this.#negative(value);
  }

  double(field: number, value: number): void {
    this.#reserve(smallBytesMax);
    this.#tag(field, fixed64Type);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  fixed32(field: number, value: number): void {
    this.#reserve(smallBytesMax);
    this.#tag(field, fixed32Type);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  /** A field of Unix nanoseconds, from seconds and the nanoseconds within one. */
  nanoseconds(field: number, [seconds, nanos]: readonly [number, number]): void {
    this.#reserve(smallBytesMax);
    this.#tag(field, fixed64Type);
    // The product has more bits than a number holds: its low half is exact modulo 2^32, and the rest is a multiple of it.
    const low = ((Math.imul(seconds, 1_000_000_000) >>> 0) + nanos) % twoTo32;
    const high = Math.round((seconds * 1_000_000_000 + nanos - low) / twoTo32);
    this.#length = this.#bytes.writeUInt32LE(high, this.#bytes.writeUInt32LE(low, this.#length));
  }

  /** A field of text. Lone surrogates become U+FFFD. */
  text(field: number, value: string): void {
    const bytes = Buffer.byteLength(value);
    this.#reserve(smallBytesMax + bytes);
    this.#tag(field, lengthType);
    this.#number(bytes);
    if (bytes === value.length) this.#length += this.#bytes.write(value, this.#length, 'latin1');
    else this.#length += this.#bytes.write(value, this.#length);
  }

  /** A field of bytes, given in hexadecimal. */
  hex(field: number, value: string): void {
    this.#reserve(smallBytesMax + value.length);
    this.#tag(field, lengthType);
    this.#number(value.length / 2);
    this.#length += this.#bytes.write(value, this.#length, 'hex');
  }

  /** Begins a field of a message. Its end is `end` with what this returns. */
  begin(field: number): number {
    this.#reserve(smallBytesMax);
    this.#tag(field, lengthType);
    this.#length += 1;
    return this.#length;
  }

  /** Ends the message that begins at `start`: writes its length before it. */
  end(start: number): void {
    const length = this.#length - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    this.#reserve(smallBytesMax);
    const more = varintLength(length) - 1;
    this.#bytes.copyWithin(start + more, start, this.#length);
    this.#length = start - 1;
    this.#number(length);
    this.#length += length;
  }

  #tag(field: number, type: number): void {
    this.#number(field * 8 + type);
  }

  #number(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest = rest < twoTo32 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** All ten bytes of a negative number, as a signed integer of 64 bits has them. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** The bytes of a number below 2^32 as a varint. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length += 1;
  return length;
}
