/**
 * Requirements of some tests: programs, rights, an operating system. Tests whose requirement this machine does not meet are
 * omitted and named at the end of the run. In continuous integration (`CI=true`), that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { leftOutAnnotation } from '../closing-line-reporter.ts';
import { mayMountSmallDisk } from '../small-disk.ts';
import { chromaProgram } from './chroma-program.ts';
import { collectorProgram } from './collector-program.ts';
import { goProgram } from './go-program.ts';
import { kubernetesTool } from './kubernetes-tools.ts';
import { pythonWithSdk } from './python-sdk.ts';

/** Programs by name: the command, and arguments with which it exits without effects. */
const programs = {
  alertmanager: ['prometheus-alertmanager', '--version'],
  amtool: ['amtool', '--version'],
  busybox: ['busybox', 'true'],
  chroma: [chromaProgram(), '--version'],
  chromium: ['chromium', '--version'],
  'compose-config': [goProgram('compose-config'), '-help'],
  'go-sdk': [goProgram('go-sdk'), 'server'],
  curl: ['curl', '--version'],
  fish: ['fish', '--version'],
  helm: [kubernetesTool('helm'), 'version'],
  jq: ['jq', '--version'],
  kubeconform: [kubernetesTool('kubeconform'), '-v'],
  'log-verifier': [goProgram('log-verifier'), '-help'],
  openssl: ['openssl', 'version'],
  otelcol: [collectorProgram(), '--version'],
  prlimit: ['prlimit', '--version'],
  prometheus: ['prometheus', '--version'],
  promtool: ['promtool', '--version'],
  'python-sdk': [pythonWithSdk(), '-c', 'import mcp'],
  script: ['script', '--version'],
  // It has no option without an effect; `ssh` is of the same package.
  'ssh-keygen': ['ssh', '-V'],
  zsh: ['zsh', '--version'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/** What else tests require: whether this machine has it, and the sentence that says that it has not. */
const abilities = {
  linux: { isMet: () => process.platform === 'linux', lack: 'the system is not Linux' },
  mount: { isMet: mayMountSmallDisk, lack: 'this process may not mount a file system' },
  registry: {
    isMet: () => spawnSync('npm', ['ping'], { stdio: 'ignore' }).status === 0,
    lack: 'no npm registry answers',
  },
  root: { isMet: () => process.getuid?.() === 0, lack: 'this process is not root, so it cannot change its user' },
} as const satisfies Record<string, { isMet: () => boolean; lack: string }>;

/** A program or an ability that tests may require. */
export type Requirement = keyof typeof programs | keyof typeof abilities;

/** Whether this machine meets the requirement. Tries it once: a program runs, a small file system is mounted and removed. */
export function isPresent(requirement: Requirement): boolean {
  if (isAbility(requirement)) return abilities[requirement].isMet();
  const [command, ...args] = programs[requirement];
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Declares the tests of `subject` or, for each requirement that is not met, one test that reports it. */
export function describeWith(requirements: Requirement | Requirement[], subject: string, tests: () => void): void {
  const missing = [requirements].flat().filter((requirement) => !isPresent(requirement));
  if (missing.length === 0) {
    describe(subject, tests);
    return;
  }
  describe(subject, () => {
    test.for(missing.map(lackOf))('left out: %s', async (lack, { annotate }) => {
      await annotate(`${subject} (${lack})`, leftOutAnnotation);
      expect(process.env.CI, `no test is left out in continuous integration, but ${lack}`).not.toBe('true');
    });
  });
}

function isAbility(requirement: Requirement): requirement is keyof typeof abilities {
  return requirement in abilities;
}

/** The sentence that says that the requirement is not met. */
function lackOf(requirement: Requirement): string {
  return isAbility(requirement) ? abilities[requirement].lack : `${requirement} is not installed`;
}
