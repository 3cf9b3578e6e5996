/** A request of a trace as its readers hand it on, and the one sentence for whatever is wrong with one. */
import { UserError } from '../../errors.ts'

/** How long a request took, where its trace tells: to its first token, and to its end. */
export interface RowTimes {
  firstUs?: number | undefined
  endUs?: number | undefined
}

/**
 * Takes a row: where it stands, when its request came (microseconds; from the epoch, or from the trace's own start),
 * its input and output tokens, and, where the trace has them, the hashes of the blocks of its prompt and how long it
 * took. A call instead of an object, so that a million rows a second make no garbage.
 */
export type RowSink = (
  line: number,
  atUs: number,
  input: number,
  output: number,
  ids?: readonly number[],
  times?: RowTimes,
) => void

/** Where a fault is: the file, and the title of the column or the member of the object, where it is of one. */
export function traceFault(path: string, line: number, why: string, column?: string): UserError {
  const where = column === undefined ? '' : `, column ${column}`
  return new UserError(`${path}, line ${line}${where}: ${why}`, 'Correct or cut the trace there and run again.')
}

/** A number of tokens as it stands in a file, or a fault that says what stands there instead. */
export function tokensOf(value: unknown, path: string, line: number, column: string): number {
  const given = typeof value === 'string' ? value.trim() : value
  if (given === undefined || given === null || given === '')
    throw traceFault(path, line, 'nothing stands there', column)
  const tokens = typeof given === 'string' || typeof given === 'number' ? Number(given) : Number.NaN
  if (Number.isSafeInteger(tokens) && tokens >= 0) return tokens
  const shown = typeof given === 'string' ? `'${given.slice(0, 40)}'` : JSON.stringify(given).slice(0, 40)
  throw traceFault(path, line, `${shown} is not a whole number of 0 or more`, column)
}
