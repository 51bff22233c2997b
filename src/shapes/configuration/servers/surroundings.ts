/** What the translation of a server entry depends on, and how it reports problems and warnings. */

/** A value that VS Code asks its user for: an entry of `inputs`. */
export interface ServerInput {
  id: string;
  description: string | undefined;
  default: string | undefined;
  /** Whether the answer is not to be shown. */
  isSecret: boolean;
}

/** What a server entry is read with. */
export interface EntrySurroundings {
  environment: Readonly<Record<string, string | undefined>>;
  /** The home folder of the user, for `~` and `${userHome}`. */
  home: string;
  /** The folder that `${workspaceFolder}` means: that of the file. */
  folder: string;
  inputs: readonly ServerInput[];
  /** Whether there is a file at an absolute path. */
  hasFile: (path: string) => boolean;
}

/** A remark about a place in a file. The text contains no value of the file that may be a secret. */
export interface EntryNote {
  /** Keys from the entry, or the file, to the place. */
  path: readonly string[];
  text: string;
}

/** Collects warnings about an entry. */
export type Warn = (path: readonly string[], text: string) => void;

/** Why a server entry cannot be used. It is caught where the entry is read, and makes that server misconfigured. */
export class EntryProblem extends Error {
  override readonly name = 'EntryProblem';
  readonly path: readonly string[];

  constructor(path: readonly string[], message: string) {
    super(message);
    this.path = path;
  }
}
