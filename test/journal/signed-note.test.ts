/** Signed notes, checkpoints and proofs, against the examples of their specifications and of the Go implementation. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/journal/checkpoint.ts';
import { inclusionPath, leafHash, nodeHash } from '../../src/journal/merkle-tree.ts';
import { cosignedMessage, noteSigner, openNote, signNote, verifierOf, vkeyOf } from '../../src/journal/signed-note.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../../src/journal/tlog-proof.ts';
import { witnessVkey } from '../support/witness-key.ts';

/** The example of C2SP signed-note. */
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleNote = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** The example of golang.org/x/mod/sumdb/note, with its signing key. */
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const goPrivateKey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const goText = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`;
const goNote = `${goText}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const privateKeyOf = (seed: Buffer) =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
const newKey = () => generateKeyPairSync('ed25519').privateKey;
const log = noteSigner('example.com/log', newKey());
const logVerifier = verifierOf(log.vkey);

describe('a signed note', () => {
  test.each([
    ['the specification', exampleNote, exampleKey],
    ['the Go implementation', goNote, goKey],
  ])('of %s verifies with its key', (_whose, note, vkey) => {
    const { text, verified, unverified } = openNote(note, [verifierOf(vkey)]);
    expect(note).toBe(`${text}\n${verified[0]?.line}`);
    expect(unverified).toEqual([]);
  });

  test('of a known key is byte for byte that of the Go implementation', () => {
    const seed = Buffer.from(goPrivateKey.slice('PRIVATE+KEY+PeterNeumann+c74f20a3+'.length), 'base64').subarray(1);
    const signer = noteSigner('PeterNeumann', privateKeyOf(seed));
    expect(signer.vkey).toBe(goKey);
    expect(signNote(goText, [signer])).toBe(goNote);
  });

  test('verifies with any of the keys that signed it, and names the unknown ones', () => {
    const other = noteSigner('example.com/log', newKey());
    const note = signNote('hello\n', [log, other]);
    for (const signer of [log, other]) {
      const opened = openNote(note, [verifierOf(signer.vkey)]);
      expect(opened.verified.map(({ line }) => line)).toEqual([signer.sign('hello\n')]);
      expect(opened.unverified).toHaveLength(1);
    }
  });

  test('with a signature of an unknown key, and of none that is known, is refused', () => {
    expect(() => openNote(exampleNote, [logVerifier])).toThrow('no signature of a known key');
  });

  test('with one false signature of a known key is refused, though another verifies', () => {
    const other = noteSigner('example.com/other', newKey());
    const note = signNote('hello\n', [log]) + other.sign('something else\n');
    expect(openNote(note, [logVerifier]).verified).toHaveLength(1);
    expect(() => openNote(note, [logVerifier, verifierOf(other.vkey)])).toThrow('example.com/other is not valid');
  });

  test('does not verify with any byte of it changed', () => {
    const note = signNote('origin\n7\nroot\n', [log]);
    const bytes = Buffer.from(note, 'utf8');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(() => openNote(changed.toString('utf8'), [logVerifier])).toThrow();
      }),
    );
  });

  test.each([
    ['no signature', 'hello\n\n'],
    ['no blank line', `hello\n${log.sign('hello\n')}`],
    ['no final newline', signNote('hello\n', [log]).slice(0, -1)],
    ['a control character', signNote('hello\n', [log]).replace('hello', 'hel\tlo')],
    ['another dash', signNote('hello\n', [log]).replace('—', '-')],
    ['a signature that is not base64', signNote('hello\n', [log]).replace(/=*\n$/, '!\n')],
    ['too many signatures', `hello\n\n${log.sign('hello\n').repeat(65)}`],
  ])('with %s is refused', (_what, note) => {
    expect(() => openNote(note, [logVerifier])).toThrow();
  });

  test('is not made of a text without a final newline or with control characters', () => {
    expect(() => signNote('hello', [log])).toThrow();
    expect(() => signNote('hel\u0007lo\n', [log])).toThrow();
  });
});

describe('a verifier key', () => {
  test.each([
    '',
    'example.com/foo',
    exampleKey.replace('530d903a', '530d903b'),
    exampleKey.replace('example.com', 'example.org'),
    exampleKey.slice(0, -4),
    'example.com/foo+530d903a+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  ])('is refused as %s', (vkey) => {
    expect(() => verifierOf(vkey)).toThrow();
  });

  test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\nb'])('cannot have the name %j', (name) => {
    expect(() => vkeyOf(name, createPublicKey(newKey()))).toThrow('name of a key');
  });
});

describe('a cosignature', () => {
  test('verifies with the time that it states, and with no other', () => {
    const key = newKey();
    const witness = verifierOf(witnessVkey('witness.example/w1', key));
    const text = 'example.com/log\n3\nq\n';
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_679_315_147n);
    const signature = sign(null, Buffer.from(cosignedMessage(text, 1_679_315_147n)), key);
    expect(cosignedMessage(text, 1_679_315_147n)).toBe(`cosignature/v1\ntime 1679315147\n${text}`);
    expect(witness.verify(text, Buffer.concat([time, signature]))).toBe(true);
    time.writeBigUInt64BE(1_679_315_148n);
    expect(witness.verify(text, Buffer.concat([time, signature]))).toBe(false);
    expect(witness.verify(text, signature)).toBe(false);
  });
});

describe('a checkpoint', () => {
  const root = leafHash('record');
  const checkpoint = { origin: 'example.com/log', size: 1, root };
  const trust = { origin: 'example.com/log', verifiers: [logVerifier] };

  test('of the specification is parsed', () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(parseCheckpoint(`${text}extension\n`)).toMatchObject({ size: 20_852_163 });
  });

  test('is verified with its size, root and origin', () => {
    const opened = openCheckpoint(signCheckpoint(checkpoint, [log]), trust);
    expect(opened).toMatchObject(checkpoint);
  });

  test('of another log is refused, though the key is known', () => {
    const note = signCheckpoint({ ...checkpoint, origin: 'example.com/other' }, [log]);
    expect(() => openCheckpoint(note, trust)).toThrow('of the log example.com/other');
  });

  test.each([
    '',
    'x\n',
    'x\n1\n',
    'x\n01\nAAAA\n',
    'x\n1\nAAAA\n',
    `x\n-1\n${root.toString('base64')}\n`,
    `\n1\n${root.toString('base64')}\n`,
    `x\n1\n${root.toString('base64')}`,
    `x\n9999999999999999\n${root.toString('base64')}\n`,
  ])('is refused as %j', (text) => {
    expect(() => parseCheckpoint(text)).toThrow('not a checkpoint');
  });
});

describe('a proof', () => {
  const leaves = ['a', 'b', 'c'].map(leafHash);
  const [a = root(), b = root(), c = root()] = leaves;
  function root(): Buffer {
    throw new Error('there are three leaves');
  }
  const rootHash = nodeHash(nodeHash(a, b), c);
  const checkpoint = signCheckpoint({ origin: 'example.com/log', size: 3, root: rootHash }, [log]);
  const trust = { origin: 'example.com/log', verifiers: [logVerifier] };

  test('has the form of the specification, and verifies', async () => {
    const path = await inclusionPath(1, 3, async (start, end) =>
      end - start === 1 ? (leaves[start] ?? a) : nodeHash(a, b),
    );
    const text = formatTlogProof({ index: 1, path, checkpoint });
    expect(text).toBe(
      `c2sp.org/tlog-proof@v1\nindex 1\n${a.toString('base64')}\n${c.toString('base64')}\n\n${checkpoint}`,
    );
    expect(verifyTlogProof(text, { ...trust, leaf: b })).toMatchObject({ size: 3, root: rootHash });
    expect(() => verifyTlogProof(text, { ...trust, leaf: c })).toThrow('does not lead');
  });

  test('is parsed back, with extra data', () => {
    const proof = { index: 0, path: [b, c], checkpoint, extra: Buffer.from('data') };
    expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof);
    expect(parseTlogProof(formatTlogProof({ index: 7, path: [], checkpoint }))).toEqual({
      index: 7,
      path: [],
      checkpoint,
    });
  });

  test.each([
    '',
    'c2sp.org/tlog-proof@v2\nindex 0\n\nx',
    'c2sp.org/tlog-proof@v1\n\nx',
    'c2sp.org/tlog-proof@v1\nindex 01\n\nx',
    'c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx',
    'c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx',
  ])('is refused as %j', (text) => {
    expect(() => parseTlogProof(text)).toThrow();
  });
});
