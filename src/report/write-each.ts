/** Several files of one result: one that cannot be written keeps none of the others away. */
import { UserError } from '../errors.ts'

export type FileWrite = () => Promise<void>

/** Tries all of them, one after another, and then throws one UserError about those that failed. */
export async function writeEach(writes: readonly FileWrite[]): Promise<void> {
  const failed: UserError[] = []
  for (const write of writes) {
    try {
      await write()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      failed.push(error)
    }
  }
  const [first, ...others] = failed
  if (!first) return
  if (others.length === 0) throw first
  const lines = (of: (error: UserError) => string): string => [...new Set(failed.map(of))].join('\n')
  throw new UserError(
    lines(({ message }) => message).replaceAll('\n', '\n    '),
    lines(({ next }) => next),
    first.exitCode,
  )
}
