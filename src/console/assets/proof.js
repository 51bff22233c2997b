// Verifies that a signed checkpoint covers a record, with the browser's own cryptography and no code of the hub's server.
// Formats: C2SP tlog-proof, tlog-checkpoint and signed-note; the tree is that of RFC 6962.
const list = document.querySelector('#proof');
const { line, proof, vkeys, origin } = JSON.parse(list?.dataset.proof ?? '{}');

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
const node = (left, right) => sha256(joined([1], left, right));
const isSame = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

const report = (step, holds, detail) => {
  const item = list.querySelector(`[data-step="${step}"]`);
  item.dataset.state = holds ? 'passed' : 'failed';
  const text = document.createElement('p');
  text.textContent = detail;
  item.append(text);
};

// The root that an audit path leads to: RFC 9162, section 2.1.3.2.
const rootOf = async (leaf, index, size, path) => {
  let hash = leaf;
  let position = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (position % 2 === 1 || position === last) {
      hash = await node(sibling, hash);
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await node(hash, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
};

const parse = (text) => {
  const [head, ...rest] = text.split('\n\n');
  const headLines = head.split('\n').filter((each) => !each.startsWith('extra '));
  const index = Number(headLines[1].slice('index '.length));
  const checkpoint = rest.join('\n\n');
  const end = checkpoint.indexOf('\n\n');
  const body = checkpoint.slice(0, end + 1);
  const [name, size, root] = body.split('\n');
  const signatures = checkpoint
    .slice(end + 2)
    .split('\n')
    .filter((each) => each.startsWith('— '))
    .map((each) => each.slice(2).split(' '));
  return {
    index,
    path: headLines.slice(2).map(bytesOf),
    body,
    name,
    size: Number(size),
    root: bytesOf(root),
    signatures,
  };
};

// A verifier key is `name+hash+base64`; its bytes are the algorithm (1 for Ed25519) and the key. A signature begins with the hash.
const verifySignature = async ({ body, signatures }, vkey) => {
  const [name, hash, key] = [vkey.slice(0, vkey.indexOf('+')), ...vkey.slice(vkey.indexOf('+') + 1).split(/\+(.*)/s)];
  const keyBytes = bytesOf(key);
  const found = signatures.find(
    ([signer, value]) =>
      signer === name &&
      [...bytesOf(value).slice(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('') === hash,
  );
  if (found === undefined || keyBytes[0] !== 1) return false;
  const publicKey = await crypto.subtle.importKey('raw', keyBytes.slice(1), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', publicKey, bytesOf(found[1]).slice(4), new TextEncoder().encode(body));
};

const hexadecimal = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

const verify = async () => {
  const leaf = await sha256(joined([0], new TextEncoder().encode(line)));
  report('leaf', true, `The hash of the record is ${hexadecimal(leaf)}.`);
  const parsed = parse(proof);
  const root = await rootOf(leaf, parsed.index, parsed.size, parsed.path);
  report(
    'root',
    root !== undefined,
    root === undefined
      ? 'The path has another length than the tree.'
      : `${parsed.path.length} hashes lead to ${hexadecimal(root)}.`,
  );
  const hasRoot = root !== undefined && isSame(root, parsed.root) && parsed.name === origin;
  report(
    'checkpoint',
    hasRoot,
    `The checkpoint of ${parsed.name} over ${parsed.size} records has the root ${hexadecimal(parsed.root)}.`,
  );
  const verified = [];
  for (const vkey of vkeys) if (await verifySignature(parsed, vkey)) verified.push(vkey);
  report(
    'signature',
    verified.length > 0,
    verified.length > 0 ? `Signed by ${verified.join(', ')}.` : 'No key of the log has signed it.',
  );
};

if (list !== null)
  verify().catch((error) => report('signature', false, `The proof cannot be checked: ${error.message}`));
