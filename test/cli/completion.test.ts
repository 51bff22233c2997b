/** The completion scripts, each run by its shell. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/command-line.ts';
import { commandPaths } from '../../src/cli/completion/command-tree.ts';
import { commandContext, runCommand } from '../support/programs/command-run.ts';
import { describeWith } from '../support/programs/requirements.ts';

const paths = commandPaths(createProgram(commandContext()));

/** Completes a line with the script of a shell; `complete` is what the shell runs after it. */
async function completed(shell: 'bash' | 'fish', complete: string): Promise<string[]> {
  const { stdout, exitCode } = await runCommand(['completion', shell]);
  expect(exitCode).toBe(0);
  const ended = spawnSync(shell, ['-c', `${stdout}\n${complete}`], { encoding: 'utf8' });
  expect(ended.stderr).toBe('');
  return ended.stdout.split('\n').filter((line) => line !== '');
}

/** What bash offers after these words, of which the last is being typed. */
function inBash(...words: string[]): Promise<string[]> {
  const quoted = ['hestia', ...words].map((word) => `'${word}'`).join(' ');
  return completed(
    'bash',
    `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _hestia; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

describeWith([], 'completion in bash', () => {
  test('offers commands, the commands below them, and options', async () => {
    expect(await inBash('st')).toEqual(['status']);
    expect(await inBash('servers', 'up')).toEqual(['update']);
    expect(await inBash('keys', 'create', 'bot', '--ex')).toEqual(['--expires']);
    expect(await inBash('keys', 'create', '--js')).toEqual(['--json']);
  });

  test('offers the values of options and arguments that have a list', async () => {
    expect(await inBash('keys', 'create', 'bot', '--role', 'a')).toEqual(['agent', 'auditor']);
    expect(await inBash('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  test('knows every command', async () => {
    const { stdout } = await runCommand(['completion', 'bash']);
    for (const { path } of paths) expect(stdout).toContain(`'${path.join(' ')}'`);
  });
});

describeWith(['zsh'], 'completion in zsh', () => {
  test('offers what follows a command', async () => {
    const stubs = 'compdef() { :; }; _describe() { print -l -- $offered; }; compadd() { shift; print -l -- $@; }';
    const complete = (words: string) => `${stubs}; words=(hestia ${words}); CURRENT=\${#words}; _hestia`;
    const { stdout } = await runCommand(['completion', 'zsh']);
    const ran = (words: string) =>
      spawnSync('zsh', ['-f'], { input: `${stubs}\n${stdout}\n${complete(words)}\n`, encoding: 'utf8' });
    expect(ran("servers ''").stdout).toContain('update:change keys of the entry of a server');
    expect(ran("keys create bot --role ''")).toMatchObject({ stdout: 'agent\nauditor\noperator\n', stderr: '' });
  });
});

describeWith(['fish'], 'completion in fish', () => {
  test('offers what follows a command', async () => {
    expect(await completed('fish', 'complete -C "hestia servers up"')).toEqual([expect.stringMatching(/^update\t/)]);
    const roles = await completed('fish', 'complete -C "hestia keys create bot --role a"');
    expect(roles.map((line) => line.split('\t')[0])).toEqual(['agent', 'auditor']);
  });
});
