/**
 * A request that the user can correct: what was asked, what is allowed, what to do.
 * Scripts print it as one line and exit with status 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** A step that failed although the request was right: scripts exit with status 1. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
