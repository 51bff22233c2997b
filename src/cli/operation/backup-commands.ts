/** `hestia backup` and `hestia restore`: copies what a hub stores, and puts a copy back. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Backup, BackupError, backUp, restoreBackup } from '../../domain/data-offline.ts';
import { systemErrorCode } from '../../flow/system-error.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

interface BackupOptions {
  data: string;
  headFile?: string;
}

/** Adds both commands. */
export function addBackupCommands(program: Command, context: CommandContext): void {
  const { defaults, output, version } = context;
  program
    .command('backup')
    .description('copy database, journal and keys of a running or stopped hub into a new folder, and verify the copy')
    .argument('<folder>', 'the new folder; it holds keys, so keep it as safe as the data directory')
    .option('--data <folder>', 'the data directory of the hub', defaults.dataDirectory)
    .option('--head-file <file>', 'audit.headFile of the configuration (default: audit.head in the data directory)')
    .action(async (folder: string, { data, headFile = `${data}/audit.head` }: BackupOptions) => {
      const request = { dataDirectory: data, headFile, folder: resolve(folder), version, now: Date.now() };
      const made = await asCommand(() => backUp(request));
      output.record(summary(made), [
        ...lines(made),
        'Not in it: the configuration file, the log, and what the hub builds anew (views, vectors).',
      ]);
    });
  program
    .command('restore')
    .description('put a backup into an empty data directory, after its files and its audit trail were verified')
    .argument('<folder>', 'the folder of the backup')
    .option('--data <folder>', 'the data directory, which must be empty or missing', defaults.dataDirectory)
    .option('--head-file <file>', 'audit.headFile of the configuration, if it is not in the data directory')
    .action(async (folder: string, { data, headFile }: BackupOptions) => {
      const request = { folder: resolve(folder), dataDirectory: resolve(data), headFile };
      const made = await asCommand(() => restoreBackup(request));
      output.record(summary(made), [
        ...lines(made),
        'What changed after the backup is gone. Keys that were revoked since then are valid again: revoke them.',
      ]);
    });
}

function summary({ folder, manifest, verdict }: Backup) {
  const { version, createdAt, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const { intact, recordsChecked, recordsUncovered } = verdict;
  return { folder, version, createdAt, filesCount: files.length, bytes, intact, recordsChecked, recordsUncovered };
}

function lines(made: Backup): string[] {
  const { folder, createdAt, filesCount, bytes, recordsChecked, recordsUncovered } = summary(made);
  return [
    `${folder}: ${filesCount} files, ${(bytes / 1_048_576).toFixed(1)} MiB, as of ${createdAt}`,
    `the audit trail is intact: ${recordsChecked} records, ${recordsUncovered} of them after the last signature`,
  ];
}

/** Runs work on files, whose failures are reported in one line. */
async function asCommand<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof BackupError) throw new CommandError(exitCodes.failed, cause.message, { cause });
    const code = systemErrorCode(cause);
    if (code === undefined || !(cause instanceof Error)) throw cause;
    throw new CommandError(exitCodes.failed, cause.message, { cause });
  }
}
