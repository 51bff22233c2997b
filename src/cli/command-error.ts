/** How a command ends: the exit codes, and the error that a person is told in one line. */

/** Exit codes, pinned: scripts tell them apart. */
export const exitCodes = {
  /** Done. */
  done: 0,
  /** The hub refused or failed, or what was asked for does not hold. */
  failed: 1,
  /** The command was written wrongly; nothing was asked of the hub. */
  usage: 2,
  /** No hub answered at the address. */
  unreachable: 3,
  /** Ended by Ctrl-C, as a shell counts it: 128 and the number of the signal. */
  interrupted: 130,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure told in one line. The message never holds a key or a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
