/** The flags of a run that is exported, the files that they name, and the collector. */
import { z } from 'zod'
import { address } from '../client/target.ts'
import { failure, type Result, success } from '../errors.ts'
import { flagGroup } from '../parse/flags.ts'
import { parsedBy } from '../parse/quantity.ts'
import type { BenchReport } from '../report/schema.ts'
import { writeEach } from '../report/write-each.ts'
import { assertWritable, writeOutput } from '../report/write-output.ts'
import { toCsv } from './csv.ts'
import { parseListenAddress } from './listen.ts'
import { toOpenMetrics } from './openmetrics.ts'
import type { TracedRequests } from './otlp-traces.ts'

const { text } = flagGroup('RESULT')

/** As many spans as one message to a collector may hold. */
const MOST_TRACES = 1_000

const traces = parsedBy((given): Result<{ how: TracedRequests['how']; count: number }> => {
  const [, how, count = ''] = /^(?:(slowest|random):)?(\d{1,6})$/.exec(given) ?? []
  const asked = Number(count)
  if (count === '' || asked < 1 || asked > MOST_TRACES)
    return failure(`'${given}' is neither a count from 1 to ${MOST_TRACES}, nor random:COUNT`)
  return success({ how: how === 'random' ? 'random' : 'slowest', count: asked })
})

export const exportFlags = {
  csv: text(z.string().optional(), "write summary, blocks and series as CSV, a figure a row; '-': stdout", {
    helpValue: 'r.csv',
  }),
  openmetrics: text(z.string().optional(), "write the figures as OpenMetrics text to this file; '-': stdout", {
    helpValue: 'r.prom',
  }),
  'metrics-listen': text(
    parsedBy(parseListenAddress).optional(),
    'serve the metrics of the run while it goes on, for Prometheus; :PORT is on loopback',
    { example: ':9464' },
  ),
  otlp: text(address.optional(), 'send the figures to this OpenTelemetry collector after the run (OTLP/HTTP, JSON)', {
    example: 'http://127.0.0.1:4318',
  }),
  'otlp-traces': text(traces.optional(), 'send so many requests as spans too: the slowest, or random:COUNT', {
    example: '100',
  }),
}

interface ExportFiles {
  csv?: string | undefined
  openmetrics?: string | undefined
}

/** Called before anything is sent. */
export function assertExportsWritable({ csv, openmetrics }: ExportFiles): void {
  if (csv !== undefined) assertWritable(csv, '--csv')
  if (openmetrics !== undefined) assertWritable(openmetrics, '--openmetrics')
}

/** What a collector gets beside the figures, and who hears of what went wrong there. */
interface Sending {
  traced: TracedRequests | undefined
  headers: Readonly<Record<string, string>>
  note(line: string, isError: true): void
}

export async function writeExports(
  { csv, openmetrics, otlp }: ExportFiles & { otlp?: URL | undefined },
  report: BenchReport,
  sending: Sending,
): Promise<void> {
  const send = async (url: URL): Promise<void> => {
    const { sendOtlp } = await import('./otlp-send.ts')
    await sendOtlp(report, sending.traced, { url, ...sending })
  }
  await writeEach([
    ...(csv === undefined ? [] : [() => writeOutput(csv, toCsv(report), '--csv')]),
    ...(openmetrics === undefined ? [] : [() => writeOutput(openmetrics, toOpenMetrics(report), '--openmetrics')]),
    ...(otlp ? [() => send(otlp)] : []),
  ])
}
