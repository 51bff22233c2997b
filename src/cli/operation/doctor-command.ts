/** `hestia doctor`: checks configuration, machine and hub, and says what mends what is wrong. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { systemErrorCode } from '../../flow/system-error.ts';
import { ConfigurationError } from '../../shapes/configuration/configuration-error.ts';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { createHubClient } from '../hub-client.ts';
import { collectorFindings } from './collector-check.ts';
import { type Finding, ok } from './diagnosis.ts';
import { hubFindings } from './hub-checks.ts';
import { dataDirectoryFindings, programFindings } from './local-checks.ts';
import { searchFindings } from './search-checks.ts';

/** Adds the command. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  withHubOptions(program.command('doctor'), context)
    .description('check configuration, machine and hub, and say what mends what is wrong; fails if something is')
    .action(async (options: HubOptions) => {
      const findings = [...(await localFindings(context)), ...(await runningFindings(options, context))];
      report(findings, context);
    });
}

async function localFindings({ configuration, environment }: CommandContext): Promise<Finding[]> {
  try {
    const { config, file } = configuration();
    const warnings = config.warnings.map(
      (found): Finding => ({
        check: 'configuration',
        state: 'warning',
        found,
        mend: `change it in ${file}, or leave it: it is ignored`,
      }),
    );
    return [
      ok('configuration', `${file} is valid`),
      ...warnings,
      ...dataDirectoryFindings(config),
      ...programFindings(config),
      ...(await collectorFindings(config, environment)),
      ...(await searchFindings(config)),
    ];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const mend = 'correct it, then: hestia config check';
    return [{ check: 'configuration', state: 'failed', found: error.message, mend }];
  }
}

async function runningFindings(options: HubOptions, { signal }: CommandContext): Promise<Finding[]> {
  const { key, keyFile } = options;
  if (key !== undefined) return hubFindings(hubOf(options), signal);
  try {
    readFileSync(keyFile);
    return await hubFindings(hubOf(options), signal);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const found = `${keyFile} cannot be read (${code})`;
    const mend = 'start the hub once, which writes it, or replace a lost one: hestia keys reset-operator';
    const withoutKey = createHubClient({ url: options.url, key: 'none' });
    const [hub] = await hubFindings(withoutKey, signal);
    return [...(hub === undefined ? [] : [hub]), { check: 'key', state: 'failed', found, mend }];
  }
}

const tones = { ok: 'good', warning: 'strong', failed: 'bad' } as const;
const words = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const;

function report(findings: readonly Finding[], { output }: CommandContext): void {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const [warnings, failed] = [count('warning'), count('failed')];
  const lines = findings.flatMap(({ check, state, found, mend }) => [
    `${output.tone(tones[state], words[state])}  ${printable(`${check}: ${found}`)}`,
    ...(mend === undefined ? [] : [`         -> ${printable(mend)}`]),
  ]);
  if (output.isTerminal)
    output.record({}, [...lines, `${findings.length} checks, ${warnings} warnings, ${failed} failed`]);
  else output.table(findings, [], '');
  if (failed > 0) throw new CommandError(exitCodes.failed, `${failed} of ${findings.length} checks failed`);
}
