/** What a trace tells of its provider: how long requests took, where its format has that. */
import { UserError } from '../errors.ts'
import { readPieces } from '../workload/traces/source.ts'
import type { Observed } from './observed.ts'

/** Which formats tell it, for who gives another. */
const TIMED = 'Of traces, those of LiteLLM, Kong, Envoy AI Gateway and OpenTelemetry have them, as JSON.'

export async function observeTrace(path: string, observed: Observed): Promise<void> {
  let told = 0
  // Loaded here, as everywhere: csv-parse takes its time.
  const { RowReader } = await import('../workload/traces/rows.ts')
  const reader = new RowReader(
    path,
    {
      timed: (tokens, { firstUs, endUs }, failed) => {
        observed.answers++
        if (failed) observed.faults.set('server_error', (observed.faults.get('server_error') ?? 0) + 1)
        else if (endUs === undefined || tokens === 0) return
        else {
          told++
          observed.tokens.push(tokens)
          if (firstUs === undefined) observed.totals.push({ us: endUs, tokens })
          else {
            observed.ttftUs.push(firstUs)
            observed.gaps.push({ us: endUs - firstUs, tokens })
          }
        }
      },
    },
    () => {},
  )
  for await (const piece of readPieces(path, () => reader.lines)) {
    reader.push(piece)
    reader.release(Number.POSITIVE_INFINITY)
  }
  reader.end()
  if (told === 0) {
    throw new UserError(`${path}, line 1: a trace without the times of its answers (${reader.format})`, TIMED)
  }
}
