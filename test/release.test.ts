/** The release script: the files of a release, and a signature that anyone can verify, tried with a throw-away key. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { describeWith } from './support/programs/requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (command: string, args: string[], input?: string) =>
  spawnSync(command, args, { cwd: root, encoding: 'utf8', ...(input !== undefined && { input }) });

describeWith(['ssh-keygen'], 'a release', () => {
  let folder: string;
  let output: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hestia-release-'));
    output = join(folder, 'release');
    const made = run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'throw-away', '-f', join(folder, 'key')]);
    expect(made.status).toBe(0);
    const options = ['--key', join(folder, 'key'), '--output', output, '--no-image', '--allow-dirty'];
    const released = run('.ci/release', options);
    expect([released.status, released.stderr]).toEqual([0, expect.any(String)]);
    const publicKey = readFileSync(join(folder, 'key.pub'), 'utf8');
    writeFileSync(join(folder, 'signers'), `release namespaces="hestia-release" ${publicKey}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const verified = (sums: string) => {
    const names = ['-I', 'release', '-n', 'hestia-release'];
    const files = ['-f', join(folder, 'signers'), '-s', join(output, 'SHA256SUMS.sig')];
    return run('ssh-keygen', ['-Y', 'verify', ...names, ...files], sums).status === 0;
  };
  const sums = () => readFileSync(join(output, 'SHA256SUMS'), 'utf8');

  test('has a source archive, an SBOM and signed checksums', () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const files = ['cdx.json', 'example-servers.cdx.json', 'tar.gz'].map((end) => `hestia-${version}.${end}`);
    expect(readdirSync(output).toSorted()).toEqual(['SHA256SUMS', 'SHA256SUMS.sig', ...files]);
    expect(sums().match(/^[0-9a-f]{64} {2}\S+$/gm)).toHaveLength(files.length);
    expect(verified(sums())).toBe(true);
  });

  test('has an SBOM in CycloneDX of what the hub runs, and nothing else', () => {
    const [file = ''] = readdirSync(output).filter((name) => /\d\.cdx\.json$/.test(name));
    const component = z.object({ name: z.string(), version: z.string(), purl: z.string() });
    const sbom = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(component) });
    const { components } = sbom.parse(JSON.parse(readFileSync(join(output, file), 'utf8')));
    const names = components.map(({ purl }) => decodeURIComponent(purl.replace(/^pkg:npm\/(.*)@.*$/, '$1')));
    expect(names).toEqual(expect.arrayContaining(['hono', '@modelcontextprotocol/server', 'swagger-ui-dist', 'zod']));
    expect(names.length).toBeGreaterThan(100);
    for (const name of ['vitest', 'typescript', '@biomejs/biome']) expect(names).not.toContain(name);
  });

  test('is refused by verification if a checksum or a file was changed', () => {
    const changed = sums().replace(/^[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));
    expect(verified(changed)).toBe(false);
    const [archive = ''] = readdirSync(output).filter((name) => name.endsWith('.tar.gz'));
    appendFileSync(join(output, archive), 'x');
    expect(spawnSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: output }).status).not.toBe(0);
  });

  test.each([
    [[], /--key is missing/],
    [['--key', '/absent'], /--key: \/absent cannot be read/],
    [['--ky', 'x'], /unknown option --ky/],
  ])('with the options %j is not made, and the error says why', (options, reason) => {
    const { status, stderr } = run('.ci/release', options);
    expect(status).toBe(2);
    expect(stderr).toMatch(reason);
  });
});
