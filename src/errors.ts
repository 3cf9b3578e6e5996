/**
 * Exit codes and the error a user can act on. Three families: UserError (what is wrong, what to do next), a plain Error
 * (a bug in kt), and the outside world, which the client turns into outcome values (src/wire/outcome.ts).
 */

/** The one table of exit codes; the README quotes it. */
export const EXIT = {
  passed: 0,
  unexpectedFailure: 1,
  usage: 2,
  breached: 3,
  inconclusive: 4,
  interrupted: 130,
} as const

/** What each code means, for the help; the README has the same words. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'passed',
  1: 'unexpected failure',
  2: 'bad usage or input',
  3: 'a limit was breached',
  4: 'inconclusive, or nothing valid was measured',
  130: 'interrupted; what was measured is still written',
}

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What to do with a verdict that the data cannot give: `--inconclusive`. */
export type Inconclusive = 'fail' | 'warn'

/** The exit code of a verdict. */
export function exitOf(verdict: 'pass' | 'fail' | 'inconclusive', inconclusive: Inconclusive = 'fail'): ExitCode {
  switch (verdict) {
    case 'pass':
      return EXIT.passed
    case 'fail':
      return EXIT.breached
    case 'inconclusive':
      return inconclusive === 'warn' ? EXIT.passed : EXIT.inconclusive
    default:
      return verdict satisfies never
  }
}

/** Something the user can put right. `message` says what is wrong, `next` what to do. Never shown with a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly next: string
  readonly exitCode: ExitCode

  constructor(message: string, next: string, exitCode: ExitCode = EXIT.usage) {
    super(message)
    this.next = next
    this.exitCode = exitCode
  }
}

/** Why something expected did not work out, and what to do about it where that is known. */
export interface Failure {
  why: string
  next?: string
}

/** The one result of what may fail as expected. A throw is a bug, or a UserError at the edge. */
export type Result<T, F extends object = Failure> = { ok: true; value: T } | ({ ok: false } & F)

export function success<T>(value: T): { ok: true; value: T } {
  return { ok: true, value }
}

export function failure(why: string, next?: string): { ok: false } & Failure {
  return { ok: false, why, ...(next !== undefined && { next }) }
}

/** The short reason of any thrown thing, without a stack. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where none of a host's addresses answers, the error has a code and no message.
  return error.message || ('code' in error ? String(error.code) : error.name)
}
