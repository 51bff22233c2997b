/** `hestia config check`: reads the configuration as a start does. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigurationError } from '../../shapes/configuration/configuration-error.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** Adds the command below `config`. */
export function addConfigCommands(program: Command, context: CommandContext): void {
  const config = program.command('config').description('check the configuration');
  config
    .command('check')
    .description(
      'read the configuration as a start does; fails if the hub would not start, or a server is misconfigured',
    )
    .argument('[file]', 'the configuration file; default: HESTIA_CONFIG, or ./hestia.config.json')
    .action((file: string | undefined) => check(file, context));
}

function check(chosen: string | undefined, { output, configuration }: CommandContext): void {
  const { file, config } = readConfiguration(() => configuration(chosen && resolve(chosen)));
  const { warnings, misconfiguredServers: misconfigured } = config;
  const servers = Object.keys(config.servers);
  output.record({ file, servers, warnings, misconfigured }, [
    ...warnings.map((warning) => `${output.tone('quiet', 'warning')}        ${warning}`),
    ...misconfigured.map(({ serverId, reason }) => `${output.tone('bad', 'misconfigured')}  ${serverId}: ${reason}`),
    `${file}: ${servers.length} servers can be used`,
  ]);
  if (misconfigured.length === 0) return;
  throw new CommandError(exitCodes.failed, `${misconfigured.length} servers are misconfigured`);
}

/** Reads a configuration. @throws CommandError for one that stops a start */
function readConfiguration<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw new CommandError(exitCodes.failed, cause.message, { cause });
    throw cause;
  }
}
