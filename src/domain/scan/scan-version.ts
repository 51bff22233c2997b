/** The version of the content scan, under which a stored result is valid. */
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * A digest of the source of the scan and of what configures it. It changes with each change of a rule, so that no result
 * of older rules is used. Reads the files of this folder.
 */
export function scanVersion(configuration: unknown): string {
  return hash('sha256', `${sourceDigest()}${JSON.stringify(configuration)}`, 'hex');
}

function sourceDigest(): string {
  const folder = new URL('.', import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const texts = names.sort().map((name) => `${name}\n${readFileSync(new URL(name, folder), 'utf8')}`);
  return hash('sha256', texts.join('\n'), 'hex');
}
