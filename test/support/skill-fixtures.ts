/** The skills of `test/fixtures/skills`, copied to a temporary directory together with their generated files. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The directory of the skills that the repository ships. */
export const shippedSkillsDirectory = join(repository, 'skills');

/** A directory of skills, removed at disposal. */
export interface SkillFixtures extends AsyncDisposable {
  directory: string;
  /** The names of the skills, sorted. */
  names: string[];
}

/**
 * Copies the fixture skills and adds what is not stored: the license as LICENSE.txt, a binary file, and a reference of
 * about 140 kB, which is as long as references are in practice.
 */
export async function copySkillFixtures(): Promise<SkillFixtures> {
  const directory = await mkdtemp(join(tmpdir(), 'hestia-skill-fixtures-'));
  await cp(join(repository, 'test/fixtures/skills'), directory, { recursive: true });
  for (const name of ['release-notes', 'weather-api', 'map-themes', 'field-reports', 'form-testing'])
    await cp(join(repository, 'LICENSE'), join(directory, name, 'LICENSE.txt'));
  await mkdir(join(directory, 'map-themes', 'assets'));
  await writeFile(join(directory, 'map-themes', 'assets', 'preview.png'), previewImage());
  await writeFile(join(directory, 'weather-api', 'shared', 'stations.md'), stationList());
  return {
    directory,
    names: await skillNamesIn(directory),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** The names of the folders in a directory, sorted. */
export async function skillNamesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

/** Bytes that are not UTF-8 text, with the signature of a PNG file. */
function previewImage(): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, Buffer.from(Array.from({ length: 4096 }, (_value, index) => (index * 37) % 256))]);
}

function stationList(): string {
  const row = (_value: unknown, index: number) => {
    const latitude = (47 + (index % 800) / 100).toFixed(2);
    const longitude = (6 + (index % 900) / 100).toFixed(2);
    return `| ST${String(index).padStart(4, '0')} | Town ${index} | ${latitude} | ${longitude} | inland |`;
  };
  const head = ['# Stations', '', '| id | town | latitude | longitude | model |', '| --- | --- | --- | --- | --- |'];
  return `${[...head, ...Array.from({ length: 3200 }, row)].join('\n')}\n`;
}
