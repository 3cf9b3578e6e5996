import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { bodyOf, type Load, output, PATH, parseOutput, type Seen, type Tool } from './tool.ts'

const outputSchema = z.object({
  latencies: z.object({ '50th': z.number(), '99th': z.number() }),
  requests: z.number(),
  throughput: z.number(),
  status_codes: z.record(z.string(), z.number()),
})

/** An open loop only; its own record of every request goes to a file, of which it makes its report. */
export const vegeta: Tool = {
  name: 'vegeta',
  peer: 'vegeta',
  async run(program, load, folder) {
    const { seconds } = load
    const record = join(folder, 'record')
    await writeFile(join(folder, 'body.json'), bodyOf(load))
    await writeFile(join(folder, 'targets'), `POST ${load.origin}${PATH}\nContent-Type: application/json\n@body.json\n`)
    await output(program, ['attack', ...paceOf(load), '-targets=targets', `-output=${record}`], {
      seconds,
      cwd: folder,
    })
    return readVegeta(await output(program, ['report', '-type=json', record], { seconds, cwd: folder }))
  },
}

function paceOf({ rps, inFlight, seconds }: Load): string[] {
  return [`-rate=${rps ?? 0}/s`, `-duration=${seconds}s`, `-max-workers=${inFlight}`, '-timeout=30s']
}

/** It has nanoseconds. */
export function readVegeta(text: string): Seen {
  const { latencies, requests, throughput, status_codes } = parseOutput(outputSchema, text)
  const answered = status_codes['200'] ?? 0
  return {
    answered,
    failed: requests - answered,
    perSecond: throughput,
    latency: { p50Ms: latencies['50th'] / 1e6, p99Ms: latencies['99th'] / 1e6 },
  }
}
