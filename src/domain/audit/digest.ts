/**
 * Keyed digests (HMAC-SHA-256) of tool arguments and results, which are not stored themselves. With the key and the
 * content, one can prove that a record is about it; with the trail alone, one can neither read nor guess it.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * Returns the HMAC-SHA-256 (RFC 2104), in hexadecimal, of the canonical JSON (RFC 8785) of a value; `undefined` where the
 * value has no canonical form, such as text that is not well-formed Unicode.
 */
export type ContentDigest = (content: unknown) => string | undefined;

/** Creates the digest function of one key. */
export function createContentDigest(keyBytes: Buffer): ContentDigest {
  const hmac = createHmacSha256(keyBytes);
  return (content) => {
    try {
      const text = canonicalize(content);
      return text === undefined ? undefined : hmac(text);
    } catch {
      return undefined;
    }
  };
}

/** The length of a block and of a hash of SHA-256, in bytes. */
const blockBytes = 64;
const hashBytes = 32;

/**
 * Creates HMAC-SHA-256 of one key as RFC 2104, section 2, defines it: H(K ^ opad, H(K ^ ipad, text)). `createHmac` allocates a
 * context of OpenSSL for each text, which took more of the event loop than everything else in a digest.
 */
function createHmacSha256(keyBytes: Buffer): (text: string) => string {
  const key = Buffer.alloc(blockBytes);
  (keyBytes.length > blockBytes ? hash('sha256', keyBytes, 'buffer') : keyBytes).copy(key);
  const innerPad = key.map((byte) => byte ^ 0x36);
  const outer = Buffer.alloc(blockBytes + hashBytes);
  outer.set(key.map((byte) => byte ^ 0x5c));
  return (text) => {
    const inner = Buffer.allocUnsafe(blockBytes + Buffer.byteLength(text));
    inner.set(innerPad);
    inner.write(text, blockBytes);
    outer.write(hash('sha256', inner, 'binary'), blockBytes, 'latin1');
    return hash('sha256', outer);
  };
}
