/**
 * A small witness over HTTP (C2SP tlog-witness): cosigns checkpoints of one log that extend what it saw before.
 * It makes the checks that the protocol demands, with the status of each.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { holdsConsistency } from '../../src/journal/merkle-proof.ts';
import { witnessKeyId, witnessVkey } from './witness-key.ts';

/** A running witness. */
export interface TestWitness extends AsyncDisposable {
  url: string;
  vkey: string;
  /** The statuses of all answers so far. */
  statuses: number[];
  /** The checkpoint that it cosigned last. */
  latest(): { size: number; root: Buffer };
  /** Replaces what it saw: as if another process of the log had submitted that. */
  setLatest(latest: { size: number; root: Buffer }): void;
  /** Answers with this instead, until it is set to undefined. */
  override(answer: ((honest: WitnessAnswer) => WitnessAnswer) | undefined): void;
}

/** An answer of a witness. */
export interface WitnessAnswer {
  status: number;
  body: string;
  type?: string;
}

/** Starts a witness of the log with this origin and verifier key. */
export async function startWitness({
  origin,
  logVkey,
  port = 0,
}: {
  origin: string;
  logVkey: () => string;
  port?: number;
}): Promise<TestWitness> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const name = 'witness.example/w1';
  let latest: { size: number; root: Buffer } = { size: 0, root: createHash('sha256').digest() };
  let changed: ((honest: WitnessAnswer) => WitnessAnswer) | undefined;
  const statuses: number[] = [];
  const answer = (body: string): WitnessAnswer => {
    const request = parseRequest(body);
    if (request === undefined) return { status: 400, body: 'malformed\n' };
    const { old, proof, checkpoint } = request;
    if (checkpoint.origin !== origin) return { status: 404, body: 'unknown origin\n' };
    if (!isSigned(request, logVkey())) return { status: 403, body: 'no signature of a trusted key\n' };
    if (old > checkpoint.size) return { status: 400, body: 'the old size is too large\n' };
    if (old !== latest.size) return { status: 409, body: `${latest.size}\n`, type: 'text/x.tlog.size' };
    if (!extendsLatest(latest, checkpoint, proof)) return { status: 422, body: 'not consistent\n' };
    latest = checkpoint;
    return { status: 200, body: cosignature({ name, privateKey, text: request.text }) };
  };
  const server = createServer(async (request, response) => {
    const honest = answer(request.url === '/prefix/add-checkpoint' ? await readBody(request) : '');
    const { status, body, type = 'text/plain' } = changed?.(honest) ?? honest;
    statuses.push(status);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the witness does not listen');
  return {
    url: `http://127.0.0.1:${address.port}/prefix/`,
    vkey: witnessVkey(name, privateKey),
    statuses,
    latest: () => latest,
    setLatest: (replaced) => {
      latest = replaced;
    },
    override: (replacement) => {
      changed = replacement;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface WitnessRequest {
  old: number;
  proof: Buffer[];
  /** The text of the checkpoint, and its signature lines. */
  text: string;
  signatures: string[];
  checkpoint: { origin: string; size: number; root: Buffer };
}

const requestPattern =
  /^old (?<old>0|[1-9]\d*)\n(?<proof>(?:[A-Za-z0-9+/]{43}=\n){0,63})\n(?<text>(?:[^\n]+\n){3,})\n(?<signatures>(?:— [^\n]+\n)+)$/;

function parseRequest(body: string): WitnessRequest | undefined {
  const { old, proof, text, signatures } = requestPattern.exec(body)?.groups ?? {};
  if (old === undefined || proof === undefined || text === undefined || signatures === undefined) return undefined;
  const [origin = '', size = '', root = ''] = text.split('\n');
  return {
    old: Number(old),
    proof: proof
      .split('\n')
      .slice(0, -1)
      .map((line) => Buffer.from(line, 'base64')),
    text,
    signatures: signatures.split('\n').slice(0, -1),
    checkpoint: { origin, size: Number(size), root: Buffer.from(root, 'base64') },
  };
}

function isSigned({ text, signatures }: WitnessRequest, vkey: string): boolean {
  const [name = '', id = '', ...encoded] = vkey.split('+');
  const key = Buffer.from(encoded.join('+'), 'base64').subarray(1);
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') },
    format: 'jwk',
  });
  const own = signatures
    .map((line) => line.split(' '))
    .filter(([, signer]) => signer === name)
    .map(([, , signature = '']) => Buffer.from(signature, 'base64'))
    .filter((bytes) => bytes.toString('hex', 0, 4) === id);
  return own.length > 0 && own.every((bytes) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4)));
}

function extendsLatest(
  latest: { size: number; root: Buffer },
  checkpoint: { size: number; root: Buffer },
  proof: Buffer[],
): boolean {
  if (latest.size === 0) return proof.length === 0;
  return holdsConsistency({ first: latest, second: checkpoint, path: proof });
}

function cosignature({ name, privateKey, text }: { name: string; privateKey: KeyObject; text: string }): string {
  const time = Buffer.alloc(8);
  const seconds = BigInt(Math.floor(Date.now() / 1000));
  time.writeBigUInt64BE(seconds);
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), privateKey);
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const keyId = witnessKeyId(name, Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url')]));
  return `— ${name} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
