/** An upstream server that attacks on command: its configuration, and how a test commands it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the server lists, and how it lives. */
export interface Behaviour {
  /** Definitions that are listed as they are, besides the tool `run`. */
  tools?: unknown[];
  /** Listed too: `count` tools with descriptions of `bytes` bytes, which differ in each listing if `changing`. */
  generated?: { count: number; bytes?: number; changing?: boolean };
  /** Listed prompts, as `generated`. The server offers none without. */
  prompts?: { count: number; bytes?: number; changing?: boolean };
  /** The length of its instructions. */
  instructionsBytes?: number;
  /** The list has a page for each cursor, and then begins again, for ever. */
  cursors?: string[];
  /** The process exits so many milliseconds after each listing. */
  dieAfterMs?: number;
}

/** A command, as an argument of the tool `run`. */
export interface Command {
  /**
   * `announce`: a list has changed. `request`: requests of the server. `progress`: of the call. `line`: one without an end.
   * `raw`: `text` as it is, in which `ID` is the id of the call. `stderr`: lines there. `exit`: at once. `close-input`: closes
   * its standard input.
   */
  do: 'announce' | 'request' | 'progress' | 'line' | 'raw' | 'stderr' | 'close-input' | 'exit';
  count?: number;
  bytes?: number;
  /** `announce`: repeats with this interval. */
  everyMs?: number;
  /** `request`: the method. `announce`: the list, `tools` by default. */
  method?: string;
  text?: string;
}

/** A server under the control of a test. Disposing removes its files; the hub ends its process. */
export interface HostileUpstream extends Disposable {
  /** Its entry in `mcpServers`. */
  readonly configuration: { command: string; args: string[] };
  /** Replaces what the server does from its next listing or start on. */
  behave(behaviour: Behaviour): void;
  /** The processes that the hub has started, by id. */
  starts(): number[];
}

const serverFile = fileURLToPath(new URL('./hostile-server.ts', import.meta.url));

/** Creates a server, which the hub starts. */
export function createHostileUpstream(behaviour: Behaviour = {}): HostileUpstream {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-hostile-'));
  const file = join(folder, 'behaviour.json');
  const behave = (next: Behaviour) => writeFileSync(file, JSON.stringify(next));
  behave(behaviour);
  return {
    configuration: { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', serverFile, file] },
    behave,
    starts: () =>
      existsSync(`${file}.starts`) ? readFileSync(`${file}.starts`, 'utf8').trim().split('\n').map(Number) : [],
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
