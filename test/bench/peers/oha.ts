import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { bodyOf, type Load, output, PATH, parseOutput, type Seen, type Tool } from './tool.ts'

const figures = z.object({ p50: z.number(), p99: z.number() })
const outputSchema = z.object({
  summary: z.object({ total: z.number().positive() }),
  latencyPercentiles: figures,
  firstBytePercentiles: figures,
  statusCodeDistribution: z.record(z.string(), z.number()),
  errorDistribution: z.record(z.string(), z.number()),
})

export const oha: Tool = {
  name: 'oha',
  peer: 'oha',
  async run(program, load, folder) {
    const body = join(folder, 'body.json')
    await writeFile(body, bodyOf(load))
    return readOha(await output(program, optionsOf(load, body), { seconds: load.seconds, cwd: folder }))
  },
}

function optionsOf({ origin, rps, inFlight, seconds, oneThread }: Load, body: string): string[] {
  return [
    ...['--no-tui', '--output-format', 'json', '-m', 'POST', '-T', 'application/json', '-D', body],
    ...['-c', String(inFlight), '-z', `${seconds}s`, '--wait-ongoing-requests-after-deadline'],
    ...(rps === undefined ? [] : ['-q', String(rps)]),
    ...(oneThread ? ['--worker-threads', '1'] : []),
    origin + PATH,
  ]
}

/**
 * It has seconds. Its first byte is that of the body, with which the simulated provider's first token comes. What it
 * gave up or could not send is in its errors.
 */
export function readOha(text: string): Seen {
  const said = parseOutput(outputSchema, text)
  const { 200: answered = 0, ...others } = said.statusCodeDistribution
  const failed = [...Object.values(others), ...Object.values(said.errorDistribution)]
  const inMs = ({ p50, p99 }: z.infer<typeof figures>) => ({ p50Ms: p50 * 1_000, p99Ms: p99 * 1_000 })
  return {
    answered,
    failed: failed.reduce((sum, count) => sum + count, 0),
    perSecond: answered / said.summary.total,
    latency: inMs(said.latencyPercentiles),
    ttft: inMs(said.firstBytePercentiles),
  }
}
