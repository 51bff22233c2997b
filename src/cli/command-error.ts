/** Exit codes of commands, and the error that is printed as one line. */

/** Exit codes. Pinned, because scripts rely on them. */
export const exitCodes = {
  /** Success. */
  done: 0,
  /** The hub refused or failed, or a verification failed. */
  failed: 1,
  /** Incorrect usage. The hub received no request. */
  usage: 2,
  /** No hub answered at the address. */
  unreachable: 3,
  /** Interrupted by Ctrl-C. By shell convention, 128 plus the signal number. */
  interrupted: 130,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure that is printed as one line. The message never contains a key or a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
