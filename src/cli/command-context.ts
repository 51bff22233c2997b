/** The context of every command, and the options that name the hub and the API key. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { SkillCheckOptions } from '../domain/skill-source.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { CommandError, exitCodes } from './command-error.ts';
import type { CommandOutput, OutputStream } from './command-output.ts';
import { createHubClient, type HubClient } from './hub-client.ts';
import type { Ask } from './terminal-question.ts';

/** What the process provides to the commands. */
export interface CommandSurroundings {
  stdout: OutputStream;
  stderr: OutputStream;
  /** Defaults of `--url`, `--key-file` and `--data`: where a hub with this environment listens and stores its data. */
  defaults: { url: string; operatorKeyFile: string; dataDirectory: string };
  /**
   * The configuration of a hub with this environment, or with another configuration file, and that file.
   * @throws ConfigurationError
   */
  configuration: (file?: string) => { config: Config; file: string };
  /** How a hub with this environment checks skills. @throws ConfigurationError */
  skillCheck: () => SkillCheckOptions;
  /** Passed to hubs that the demo starts, and to what reads the configuration file. */
  environment: Readonly<Record<string, string | undefined>>;
  /** The script that runs the hub. */
  hubFile: string;
  version: string;
  /** Asks the user, if there is a terminal. */
  ask?: Ask | undefined;
  /** Aborts at Ctrl-C. Commands then undo what they created and return. */
  signal: AbortSignal;
  /** Runs the hub in this process. */
  serve: () => Promise<void>;
}

/** What the process provides, and where output goes. */
export interface CommandContext extends CommandSurroundings {
  output: CommandOutput;
}

/** The two options that every client command has. */
export interface HubOptions {
  url: string;
  key?: string;
  keyFile: string;
}

/** Adds `--url`, `--key` and `--key-file`. */
export function withHubOptions(command: Command, { defaults }: CommandContext): Command {
  return command
    .option('--url <url>', 'the hub', defaults.url)
    .option('--key <key>', 'the API key; a file is safer, because other users can read command lines')
    .option('--key-file <file>', 'the file that holds the API key', defaults.operatorKeyFile);
}

/** A client of the hub that the options name. @throws CommandError if the URL is not valid or the key cannot be read */
export function hubOf({ url, key, keyFile }: HubOptions): HubClient {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CommandError(exitCodes.usage, '--url: must be an http or https address');
  return createHubClient({ url, key: checkedKey(key ?? readKey(keyFile), key === undefined ? '--key-file' : '--key') });
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(
      exitCodes.usage,
      `--key-file: cannot read ${file} (${code}); a hub writes its operator key there at its first start`,
      { cause },
    );
  }
}

/** Accepts what a header can carry. Anything else would fail later, with a message that shows the key. */
function checkedKey(key: string, option: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new CommandError(exitCodes.usage, `${option}: must hold one API key, of visible ASCII characters`);
}
