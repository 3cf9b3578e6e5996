import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { bodyOf, output, PATH, parseOutput, type Seen, type Tool } from './tool.ts'

const manifest = createRequire(import.meta.url)('autocannon/package.json')
const outputSchema = z.object({
  '2xx': z.number(),
  non2xx: z.number(),
  errors: z.number(),
  duration: z.number(),
  latency: z.object({ p50: z.number(), p99: z.number() }),
})

/** A closed loop in one thread. Its latencies are whole milliseconds. */
export const autocannon: Tool = {
  name: 'autocannon',
  version: z.object({ version: z.string() }).parse(manifest).version,
  script: fileURLToPath(import.meta.resolve('autocannon')),
  async run(program, load, folder) {
    const { origin, inFlight, seconds } = load
    const request = ['-m', 'POST', '-H', 'content-type=application/json', '-b', bodyOf(load)]
    const options = ['--json', '-c', String(inFlight), '-d', String(seconds), ...request, origin + PATH]
    return readAutocannon(await output(program, options, { seconds, cwd: folder }))
  },
}

/** `errors` has the time-outs in it. */
export function readAutocannon(text: string): Seen {
  const said = parseOutput(outputSchema, text)
  return {
    answered: said['2xx'],
    failed: said.non2xx + said.errors,
    perSecond: said['2xx'] / said.duration,
    latency: { p50Ms: said.latency.p50, p99Ms: said.latency.p99 },
  }
}
