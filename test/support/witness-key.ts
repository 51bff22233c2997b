/** The verifier key of a witness (C2SP tlog-cosignature), written here without the code under test. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** The verifier key of type 0x04 of an Ed25519 private key. */
export function witnessVkey(name: string, privateKey: KeyObject): string {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const typedKey = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url')]);
  return `${name}+${witnessKeyId(name, typedKey).toString('hex')}+${typedKey.toString('base64')}`;
}

/** The first four bytes of SHA-256 of name, newline, type and key. */
export function witnessKeyId(name: string, typedKey: Buffer): Buffer {
  return createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), typedKey]))
    .digest()
    .subarray(0, 4);
}
