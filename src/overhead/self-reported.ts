/**
 * From what a gateway says of itself (adapters/) to readings of its overhead, under three names: `self-reported` is the gateway's own
 * figure, `upstream-reported` the client's time less the wait that the gateway reports, `provider-reported` the same less what the
 * provider says of itself. What cannot be is rejected, with the
 * rule's name: never clamped into a figure, never mixed.
 */
import type { Exchange } from '../client/exchange.ts'
import type { Reading } from './adapters/adapter.ts'
import { readStatement } from './adapters/index.ts'

/** In the order in which a report has them. */
export const TOLD = ['self-reported', 'upstream-reported', 'provider-reported'] as const
export type Told = (typeof TOLD)[number]

export interface ToldReading {
  definition: Told
  us: number
  source: string
  note: string
}

export interface SelfReport {
  gateway: string
  unsure: boolean
  caveat: string
  readings: ToldReading[]
  componentsUs: Record<string, number>
  /** Rules that were broken, one for each figure left out. */
  rejected: string[]
}

const NONE: Record<string, number> = {}
const STREAM_NOTE = '; of a stream, only up to the headers'

type Watched = Pick<Exchange, 'headers' | 'trailers' | 'sentUs' | 'headersUs' | 'endUs'>

export function readSelfReport(answer: Watched, stream: boolean): SelfReport | undefined {
  const tookUs = answer.endUs - answer.sentUs
  const statement = readStatement(answer.headers, answer.trailers, tookUs)
  if (!statement) return undefined
  const { gateway, unsure = false, caveat = '', unusable, componentsUs = NONE } = statement
  if (unusable !== undefined) return { gateway, unsure, caveat, readings: [], componentsUs: NONE, rejected: [unusable] }
  const report: SelfReport = { gateway, unsure, caveat, readings: [], componentsUs, rejected: [] }
  if (statement.overhead) takeOwn(report, statement.overhead, tookUs)
  // The wait ends with the upstream's headers: what a stream takes after its own is no one's overhead.
  const untilUs = stream ? answer.headersUs - answer.sentUs : tookUs
  const wait = (definition: Told, reading: Reading): void => takeWait(report, definition, reading, untilUs, stream)
  if (statement.upstream) wait('upstream-reported', statement.upstream)
  if (statement.provider) wait('provider-reported', statement.provider)
  if (!report.readings.some(({ definition }) => definition === 'self-reported')) report.componentsUs = NONE
  else if (Object.values(componentsUs).some((us) => !(us >= 0 && us <= tookUs))) {
    report.componentsUs = NONE
    report.rejected.push('a component below zero or above the time of the whole request')
  }
  return report
}

function takeOwn(report: SelfReport, { us, source, note }: Reading, tookUs: number): void {
  const wrong = Number.isNaN(us)
    ? 'not a number'
    : us < 0
      ? 'below zero'
      : us > tookUs
        ? "above the client's own time"
        : undefined
  if (wrong !== undefined) report.rejected.push(`${source} ${wrong}`)
  else report.readings.push({ definition: 'self-reported', us, source, note })
}

function takeWait(report: SelfReport, definition: Told, reading: Reading, untilUs: number, stream: boolean): void {
  const { us, source, note, resolutionUs } = reading
  const leftUs = untilUs - us
  if (Number.isNaN(us)) report.rejected.push(`${source} not a number`)
  else if (us < 0) report.rejected.push(`${source} below zero`)
  // A wait given in whole milliseconds may be rounded up by one.
  else if (leftUs < -resolutionUs) report.rejected.push(`${source} above the client's own time`)
  else if (!Number.isNaN(leftUs)) {
    report.readings.push({
      definition,
      us: Math.max(0, leftUs),
      source: `${stream ? 'time to headers' : 'client time'} less ${source}`,
      note: stream ? note + STREAM_NOTE : note,
    })
  }
}
