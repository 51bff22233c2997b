/** Checks of this machine: the data directory, its permissions, the disk, the programs of servers. */
import { accessSync, constants, readdirSync, statfsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { systemErrorCode } from '../../flow/system-error.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import { type Finding, ok } from './diagnosis.ts';

/** Free bytes below which the disk is reported: as a warning, and as a failure. The journal refuses records below 256 KiB. */
const freeBytesLow = 1_073_741_824;
const freeBytesMin = 67_108_864;
const mebibyte = 1_048_576;
const othersMask = 0o077;

/** Checks the data directory and what is in it. */
export function dataDirectoryFindings({ dataDirectory }: Config): Finding[] {
  const folder = statSync(dataDirectory, { throwIfNoEntry: false });
  if (folder === undefined) {
    return [{ check: 'data', state: 'warning', found: `${dataDirectory} does not exist`, mend: 'hestia serve' }];
  }
  const open = [dataDirectory, ...secretFiles(dataDirectory)].filter(
    (path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & othersMask) !== 0,
  );
  return [writableFinding(dataDirectory), ...open.map(permissionFinding), diskFinding(dataDirectory)];
}

/** Files that others must not read: keys, the database and the journal. */
function secretFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /\.key$|\.db$|^audit\.head$|^journal$/.test(name));
  return names.map((name) => join(folder, name));
}

function writableFinding(folder: string): Finding {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok('data', `${folder} can be read and written`);
  } catch (error) {
    const found = `${folder} cannot be written (${systemErrorCode(error) ?? 'unknown reason'})`;
    return { check: 'data', state: 'failed', found, mend: `chown -R "$(id -u)" ${folder}` };
  }
}

function permissionFinding(path: string): Finding {
  return { check: 'permissions', state: 'failed', found: `others may read ${path}`, mend: `chmod -R go= ${path}` };
}

function diskFinding(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${Math.floor(free / mebibyte).toLocaleString('en-US')} MiB are free for ${folder}`;
  if (free >= freeBytesLow) return ok('disk', found);
  const mend = 'free space, or set retention.auditDays to fewer days: hestia scheduler run deletes what is past it';
  return { check: 'disk', state: free < freeBytesMin ? 'failed' : 'warning', found, mend };
}

/** Checks that the programs of servers over stdio exist, and reports entries that cannot be used. */
export function programFindings({ servers, misconfiguredServers, serverEnvironment }: Config): Finding[] {
  const missing = Object.entries(servers).flatMap(([serverId, server]): Finding[] => {
    if (!('command' in server) || !server.autoConnect) return [];
    const path = server.env.PATH ?? serverEnvironment.PATH ?? '';
    if (findProgram(server.command, { path, folder: server.cwd ?? '.' })) return [];
    const found = `the program ${server.command} is not found`;
    const mend = `install it, or: hestia servers update ${serverId} '{"command": "/path/to/${server.command}"}'`;
    return [{ check: `server ${serverId}`, state: 'failed', found, mend }];
  });
  const misconfigured = misconfiguredServers.map(
    ({ serverId, reason }): Finding => ({
      check: `server ${serverId}`,
      state: 'failed',
      found: `is misconfigured: ${reason}`,
      mend: `change the entry of ${serverId} in the configuration file`,
    }),
  );
  return [...missing, ...misconfigured];
}

function findProgram(command: string, { path, folder }: { path: string; folder: string }): boolean {
  if (command.includes('/')) return isExecutable(isAbsolute(command) ? command : resolve(folder, command));
  return path.split(delimiter).some((one) => isExecutable(join(one, command)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
