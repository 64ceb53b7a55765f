/** The last line that a failed command wrote on stderr, or the error itself. */
export function lastLine(error: unknown): string {
  return error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error);
}
