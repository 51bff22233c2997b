/** A shell that runs the commands of documents as a reader does, in a folder that is like a clone, with ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../hub/hub-process.ts';
import { waitFor } from '../wait-for.ts';
import { repositoryFolder } from './block.ts';

/** What commands printed, on both streams, with the addresses and paths of the documents. */
export interface Printed {
  output: string;
  exitCode: number;
}

/** A terminal whose commands keep running. */
export interface Terminal {
  output(): string;
  /** Sends Ctrl-C, and waits until the commands have ended. */
  interrupt(): Promise<void>;
}

/** A reader at work. Disposing it ends all commands and removes the folder. */
export interface ReaderShell extends AsyncDisposable {
  readonly folder: string;
  /** Runs commands in the terminal in which all others of this kind run, so that variables remain. */
  run(commands: string): Promise<Printed>;
  /** Runs commands in a terminal of their own, where they stay. */
  open(commands: string): Terminal;
}

/** What a clone does not have, or what commands write to. */
const absent = new Set(['.git', 'data', 'artifacts']);

/** A folder with the entries of the repository: folders as links, files as copies, since commands may change these. */
function cloneFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-reader-'));
  for (const entry of readdirSync(repositoryFolder, { withFileTypes: true })) {
    if (absent.has(entry.name)) continue;
    const [from, to] = [join(repositoryFolder, entry.name), join(folder, entry.name)];
    if (entry.isDirectory() || entry.isSymbolicLink()) symlinkSync(from, to);
    else if (entry.isFile()) copyFileSync(from, to);
  }
  return folder;
}

/** What a reader finds that is not in a clone: files that replace those of the folder, and variables. */
export interface ReaderShellOptions {
  files: Readonly<Record<string, string>>;
  environment?: Readonly<Record<string, string>> | undefined;
}

/** Starts the shell, in a new folder. */
export async function startReaderShell(options: ReaderShellOptions): Promise<ReaderShell> {
  const folder = cloneFolder();
  for (const [name, text] of Object.entries(options.files)) writeFileSync(join(folder, name), text);
  const port = await freePort();
  const environment = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: folder,
    HESTIA_PORT: String(port),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    NO_COLOR: '1',
    LC_ALL: 'C.UTF-8',
    ...options.environment,
  };
  const adapted = (text: string) =>
    text.replaceAll(':7420', `:${port}`).replaceAll(' /backups/', ` ${folder}/backups/`);
  const documented = (text: string) =>
    text.replaceAll(`:${port}`, ':7420').replaceAll(`${folder}/backups/`, '/backups/').replaceAll(`${folder}/`, '');
  const spawned = { cwd: folder, env: environment, detached: true } as const;
  const main = spawn('bash', ['--norc', '-c', 'exec 2>&1; exec bash --norc'], { ...spawned, stdio: 'pipe' });
  const children: ChildProcess[] = [main];
  const printed = gather(main);
  let count = 0;
  return {
    folder,
    run: async (commands) => {
      count += 1;
      const file = join(folder, `.commands-${count}.sh`);
      writeFileSync(file, adapted(commands));
      const start = printed().length;
      const marker = `end-of-commands-${count}`;
      main.stdin.write(`source '${file}' </dev/null\nprintf '\\n%s %s\\n' ${marker} $?\n`);
      const end = new RegExp(`\\n${marker} (\\d+)\\n`);
      const match = await waitFor(() => {
        const found = end.exec(printed().slice(start));
        if (found === null) throw new Error(`the commands did not end:\n${commands}\n${printed().slice(start)}`);
        return found;
      });
      const output = documented(printed().slice(start, start + match.index));
      return { output: output.replace(/\n$/, ''), exitCode: Number(match[1]) };
    },
    open: (commands) => {
      // A terminal, for programs that print other things in a pipe.
      const child = spawn('script', ['-qefc', adapted(commands), '/dev/null'], { ...spawned, stdio: 'pipe' });
      children.push(child);
      const output = gather(child);
      return {
        output: () => documented(output().replaceAll('\r', '')),
        interrupt: async () => {
          child.stdin.write('\u0003');
          await ended(child);
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) await killGroup(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gathers what a process prints. */
function gather(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
  await ended(child);
}
