/** The code of a system error, such as ENOENT or ECONNREFUSED. */

/** The code of a failed system call, file operation or connection; undefined for an error that carries none. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
