import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Load, output, PROMPT, parseOutput, type Seen, type Tool } from './tool.ts'

/** More than it takes in any turn: a row that is missing would end the run. */
const ROWS = 20_000

const percentiles = z.object({ percentiles: z.object({ p50: z.number(), p99: z.number() }) })
const figure = z.object({ successful: percentiles })
const reportSchema = z.object({
  benchmarks: z.tuple([
    z.object({
      duration: z.number().positive(),
      metrics: z.object({
        request_totals: z.object({ successful: z.number(), errored: z.number() }),
        request_latency: figure,
        time_to_first_token_ms: figure,
      }),
    }),
  ]),
})

/** Its report is a file. It tokenizes nothing where the rows say how many tokens to ask for. */
export const guidellm: Tool = {
  name: 'guidellm',
  peer: 'guidellm',
  async run(program, load, folder) {
    const rows = join(folder, 'rows.jsonl')
    const report = join(folder, 'report.json')
    await writeFile(rows, `${JSON.stringify({ prompt: PROMPT, output_tokens_count: load.tokens })}\n`.repeat(ROWS))
    const options = { seconds: load.seconds, cwd: folder, env: { HF_HUB_OFFLINE: '1', HF_HOME: folder } }
    await output(program, optionsOf(load, rows, report), options)
    return readGuidellm(await readFile(report, 'utf8'))
  },
}

function optionsOf({ origin, rps, inFlight, seconds, stream = false }: Load, rows: string, report: string): string[] {
  const backend = `kind=openai_http,target=${origin},model=gpt-4o-mini,stream=${stream},validate_backend=false`
  const profile = rps === undefined ? `kind=concurrent,streams=${inFlight}` : `kind=constant,rate=${rps}`
  return [
    ...['run', '--disable-console-interactive', '--backend', backend, '--profile', profile],
    ...['--constraint', `kind=max_duration,seconds=${seconds}`, '--data', `kind=json_file,path=${rows}`],
    ...['--output', `kind=json,path=${report}`],
  ]
}

/** Its latencies are seconds, its first tokens milliseconds. What is under way at the end is in neither count. */
export function readGuidellm(text: string): Seen {
  const [{ duration, metrics }] = parseOutput(reportSchema, text).benchmarks
  const { successful, errored } = metrics.request_totals
  const inMs = (
    {
      successful: {
        percentiles: { p50, p99 },
      },
    }: z.infer<typeof figure>,
    ms: number,
  ) => ({ p50Ms: p50 * ms, p99Ms: p99 * ms })
  return {
    answered: successful,
    failed: errored,
    perSecond: successful / duration,
    latency: inMs(metrics.request_latency, 1_000),
    ttft: inMs(metrics.time_to_first_token_ms, 1),
  }
}
