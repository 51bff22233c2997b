/** The commands that sentences of the documents name: `hestia …` with its options, and `npm run …`, exist. */
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { createProgram } from '../../src/cli/command-line.ts';
import { documentPaths, readDocument } from '../support/documents/block.ts';
import { commandContext } from '../support/programs/command-run.ts';

const program = createProgram(commandContext());
const globalOptions = new Set(['--help', '--version']);

/** What in a command is unknown, or undefined. Words from the first one that is no subcommand on are arguments. */
function unknownPart(command: string): string | undefined {
  const words = command.split(' -- ')[0]?.split(/\s+/).slice(1) ?? [];
  let current: Command = program;
  let depth = 0;
  for (const word of words) {
    const next = current.commands.find((candidate) => candidate.name() === word || candidate.aliases().includes(word));
    if (next === undefined) break;
    current = next;
    depth += 1;
  }
  const isGroup = current.commands.length > 0;
  const rest = words.slice(depth);
  const [first] = rest;
  if (isGroup && first !== undefined && /^[a-z]/.test(first)) return first;
  const options = new Set(current.options.flatMap(({ long, short }) => [long, short]));
  return rest
    .map((word) => /^--[a-z-]+/.exec(word)?.[0])
    .find((option) => option !== undefined && !globalOptions.has(option) && !options.has(option));
}

/** The commands in code style of a text, and those at the beginning of lines of its blocks. */
function commandsIn(text: string, beginning: string): string[] {
  const inline = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  const lines = [...text.matchAll(/^```sh[^\n]*\n(.*?)^```/gms)].flatMap((match) => (match[1] ?? '').split('\n'));
  return [...inline, ...lines]
    .filter((command) => command.startsWith(beginning))
    .map((command) => command.replace(/\s*(?:[|<>]|#|…).*$/, '').trim());
}

// Entries of the changelog keep names that changed since.
const paths = documentPaths().filter((path) => path !== 'CHANGELOG.md');

describe('the commands named in', () => {
  test.each(paths)('%s exist', (path) => {
    const text = readDocument(path);
    const unknown = commandsIn(text, 'hestia ').filter((command) => unknownPart(command) !== undefined);
    expect(unknown).toEqual([]);
    const scripts = commandsIn(text, 'npm run ').map(
      (command) => /^npm run (?:-s |--silent )?([\w:]+)/.exec(command)?.[1],
    );
    expect(scripts.filter((script) => script === undefined || !(script in packageJson.scripts))).toEqual([]);
  });
});

describe('a command', () => {
  test('is found in sentences and in blocks', () => {
    expect(commandsIn('Run `hestia status`.\n```sh\nhestia doctor | jq .\n```\n', 'hestia ')).toEqual([
      'hestia status',
      'hestia doctor',
    ]);
  });

  test('is unknown if its name, its part or an option is', () => {
    expect(unknownPart('hestia skills activate --all')).toBeUndefined();
    expect(unknownPart('hestia servers add notes -- program --option')).toBeUndefined();
    expect(unknownPart('hestia statis')).toBe('statis');
    expect(unknownPart('hestia skills actuate --all')).toBe('actuate');
    expect(unknownPart('hestia skills activate --for 120')).toBe('--for');
  });
});
