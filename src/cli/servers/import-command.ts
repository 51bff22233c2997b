/** `hestia servers import`: takes servers over from the configuration of an MCP client. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../../shapes/text.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { openConfiguration, withServers, writeConfiguration } from './configuration-edit.ts';
import { readClientFile } from './import-source.ts';
import { type TakenServer, type TranslatedFile, translateFile, variablesOf, withInput } from './import-translation.ts';

interface ImportOptions {
  config?: string;
  replace: boolean;
  dryRun: boolean;
}

/** Adds the command. */
export function addImportCommand(servers: Command, context: CommandContext): void {
  servers
    .command('import')
    .description('add the servers of a client to hestia.config.json; JSON, TOML (Codex) and YAML (Goose) are read')
    .argument('<file>', 'the configuration file of an MCP client')
    .option('--config <file>', 'the file to add them to; default: HESTIA_CONFIG, or ./hestia.config.json')
    .option('--replace', 'replace servers of the same name', false)
    .option('--dry-run', 'say what would be done, and write nothing', false)
    .action((file: string, options: ImportOptions) => importServers(resolve(file), options, context));
}

async function importServers(file: string, options: ImportOptions, context: CommandContext): Promise<void> {
  const { environment, output } = context;
  const target = resolve(options.config ?? environment.HESTIA_CONFIG ?? 'hestia.config.json');
  const content = readClientFile(file);
  const translated = translateFile(content, { file, environment, home: environment.HOME ?? homedir() });
  const configuration = openConfiguration(target);
  const isNew = ({ serverId }: TakenServer) => options.replace || !configuration.serverIds.has(serverId);
  const present = translated.taken.filter((server) => !isNew(server));
  const taken = await withAnswers(translated.taken.filter(isNew), translated, context);
  const leftOut = [
    ...translated.leftOut,
    ...present.map(({ serverId }) => ({
      serverId,
      reason: `${target} has a server of this name; --replace replaces it`,
    })),
  ];
  const variables = variablesOf(taken).map((name) => ({ name, description: translated.inputs.get(name)?.description }));
  const isWritten = !options.dryRun && taken.length > 0;
  if (isWritten) writeConfiguration(target, withServers(configuration.text, taken));
  const report = {
    taken: taken.map(({ serverId, entry, remarks }) => ({
      serverId,
      transport: 'url' in entry ? 'http' : 'stdio',
      remarks,
    })),
    ...{ leftOut, remarks: translated.remarks, variables, file: target, written: isWritten },
  };
  output.record(report, reportLines(report));
  if (taken.length === 0) throw new CommandError(exitCodes.failed, `${file}: no server was taken over`);
}

/** Asks for the inputs of VS Code on a terminal. Without an answer, the variable stays. */
async function withAnswers(
  taken: readonly TakenServer[],
  { inputs }: TranslatedFile,
  { ask }: CommandContext,
): Promise<TakenServer[]> {
  let answered = [...taken];
  if (ask === undefined) return answered;
  for (const variable of variablesOf(taken)) {
    const input = inputs.get(variable);
    if (input === undefined) continue;
    const question = `${printable(input.description ?? input.id)} (empty: from the environment variable ${variable}): `;
    const value = await ask(question, { isSecret: input.isSecret });
    if (value !== '') answered = answered.map((server) => withInput(server, variable, value));
  }
  return answered;
}

interface ImportReport {
  taken: readonly { serverId: string; transport: string; remarks: readonly string[] }[];
  leftOut: readonly { serverId: string; reason: string }[];
  remarks: readonly string[];
  variables: readonly { name: string; description: string | undefined }[];
  file: string;
  written: boolean;
}

function reportLines({ taken, leftOut, remarks, variables, file, written }: ImportReport): string[] {
  const needed = variables.map(({ name, description }) =>
    description === undefined ? name : `${name} (${printable(description)})`,
  );
  return [
    ...taken.flatMap(({ serverId, transport, remarks: own }) => [
      `taken     ${printable(serverId)} (${transport})`,
      ...own.map((remark) => `          ${remark}`),
    ]),
    ...leftOut.map(({ serverId, reason }) => `left out  ${printable(serverId)}: ${reason}`),
    ...remarks,
    ...(needed.length === 0 ? [] : [`to be set before the hub starts: ${needed.join(', ')}`]),
    written
      ? `written to ${file}, to start with the hub: ${taken.length} of ${taken.length + leftOut.length} servers`
      : `nothing is written to ${file}`,
  ];
}
