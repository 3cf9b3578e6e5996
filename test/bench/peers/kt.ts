import { fileURLToPath } from 'node:url'
import { primaryRun } from '../../../src/report/runs.ts'
import { benchReportSchema } from '../../../src/report/schema.ts'
import { ktVersion } from '../../../src/system/machine.ts'
import { type Load, output, parseOutput, type Seen, type Tool } from './tool.ts'

/** As a user runs it, on one sending thread, with all that it measures. */
export const kt: Tool = {
  name: 'kt',
  version: ktVersion,
  script: fileURLToPath(new URL('../../../bin/run.js', import.meta.url)),
  async run(program, load, folder) {
    return readKt(await output(program, optionsOf(load), { seconds: load.seconds, cwd: folder }))
  },
}

function optionsOf({ origin, rps, inFlight, seconds, tokens, stream }: Load): string[] {
  return [
    ...['bench', '--url', origin, '--duration', `${seconds}s`, '--max-tokens', String(tokens), '--no-floor', '--json'],
    ...(rps === undefined ? ['--concurrency', String(inFlight)] : ['--rps', String(rps)]),
    ...(stream ? ['--stream'] : []),
  ]
}

/** Latency is from the intended time: how late kt itself sends is in it, as it is in no other tool's. */
export function readKt(text: string): Seen {
  const { totals, latencyMs, serviceMs, ttftMs, throughput } = primaryRun(parseOutput(benchReportSchema, text))
  const figures = (of: { p50: number; p99: number } | undefined) => of && { p50Ms: of.p50, p99Ms: of.p99 }
  return {
    answered: totals.successful,
    failed: totals.failed,
    perSecond: throughput.requestsPerSec,
    latency: figures(latencyMs),
    service: figures(serviceMs),
    ttft: figures(ttftMs),
  }
}
