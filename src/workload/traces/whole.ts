/** A whole trace in memory, as the planner needs it: peaks and simulations look at all of its requests. */
import { basename } from 'node:path'
import { UserError } from '../../errors.ts'
import type { CsvColumns } from './formats.ts'
import { traceFault } from './row.ts'
import { readPieces } from './source.ts'

export interface Trace {
  name: string
  /** Seconds since the first request, ascending. */
  atS: Float64Array
  inputTokens: Float64Array
  outputTokens: Float64Array
  /** Rows without output where the format says that this is a failure. */
  failed: number
  /** Times come in lumps of this many seconds: a shorter window says nothing. */
  resolutionS: number
}

/** A span without requests that is longer than this and than a tenth of the trace is a gap. */
const GAP_S = 60
const GAP_SHARE = 0.1

export interface WholeTraceOptions {
  /** Spans without requests are no fault. */
  allowGaps?: boolean
  columns?: CsvColumns | undefined
}

export async function readTrace(path: string, { allowGaps = false, columns }: WholeTraceOptions = {}): Promise<Trace> {
  const [at, input, output, lines]: [number[], number[], number[], number[]] = [[], [], [], []]
  // Loaded here, since csv-parse takes some ten milliseconds of the start of every plan without a trace.
  const { RowReader } = await import('./rows.ts')
  const reader = new RowReader(path, { columns }, (line, atUs, inputTokens, outputTokens) => {
    lines.push(line)
    at.push(atUs / 1e6)
    input.push(inputTokens)
    output.push(outputTokens)
  })
  for await (const piece of readPieces(path, () => reader.lines)) {
    reader.push(piece)
    reader.release(Number.POSITIVE_INFINITY)
  }
  reader.end()
  reader.release(Number.POSITIVE_INFINITY)
  const [first = 0, last = 0, lastLine = 1] = [at[0], at.at(-1), lines.at(-1)]
  if (at.length < 2) throw traceFault(path, 1, 'a trace needs two requests or more')
  if (last <= first) throw traceFault(path, lastLine, 'all requests have the same time')
  if (!input.some((tokens, i) => tokens + (output[i] ?? 0) > 0)) {
    throw traceFault(path, lastLine, 'no request of the trace has tokens')
  }
  return {
    name: basename(path),
    atS: Float64Array.from(at, (seconds) => seconds - first),
    inputTokens: Float64Array.from(input),
    outputTokens: Float64Array.from(output),
    failed: reader.failed,
    resolutionS: shortestGap(path, at, lines, allowGaps),
  }
}

/** The shortest time between two requests that is any; refuses a gap. */
function shortestGap(path: string, at: readonly number[], lines: readonly number[], allowGaps: boolean): number {
  const spanS = (at.at(-1) ?? 0) - (at[0] ?? 0)
  let shortest = spanS
  at.forEach((seconds, i) => {
    const gapS = seconds - (at[i - 1] ?? seconds)
    const rounded = Number(gapS.toFixed(3))
    if (gapS > 0 && rounded < shortest) shortest = rounded
    if (allowGaps || gapS <= GAP_S || gapS <= GAP_SHARE * spanS) return
    throw new UserError(
      `${path}, line ${lines[i]}: no request for ${Math.round(gapS)} s before it: the trace has a gap`,
      'Peaks over a mean with a gap in it would look too high. ' +
        'Cut the trace there, or give --allow-gaps to take it as it is.',
    )
  })
  return shortest
}
