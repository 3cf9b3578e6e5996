import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bodyOf, output, PATH, type Seen, type Tool } from './tool.ts'

/** One thread, a closed loop; it has no rate. */
export const wrk: Tool = {
  name: 'wrk',
  peer: 'wrk',
  async run(program, load, folder) {
    const { origin, inFlight, seconds } = load
    const script = join(folder, 'post.lua')
    await writeFile(
      script,
      `wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [[${bodyOf(load)}]]\n`,
    )
    const options = ['-t1', `-c${inFlight}`, `-d${seconds}s`, '--latency', '-s', script, origin + PATH]
    return readWrk(await output(program, options, { seconds, cwd: folder }))
  },
}

const MS_OF = { us: 0.001, ms: 1, s: 1_000, m: 60_000 } as const

/** It prints for people: "  99%    1.82ms", and its errors only where there are some. */
export function readWrk(text: string): Seen {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  const percentile = (percent: number): number => {
    const [, value, unit] = new RegExp(`^ +${percent}% +([\\d.]+)(us|ms|s|m)$`, 'm').exec(text) ?? []
    if (value === undefined) throw new Error(`wrk printed no ${percent}%: ${text.slice(0, 200)}`)
    return Number(value) * MS_OF[unit as keyof typeof MS_OF]
  }
  const all = number(/^ +(\d+) requests in /m)
  const refused = number(/Non-2xx or 3xx responses: (\d+)/)
  const [, ...errors] = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  return {
    answered: all - refused,
    failed: refused + errors.reduce((sum, count) => sum + Number(count), 0),
    perSecond: all === 0 ? 0 : (number(/^Requests\/sec: +([\d.]+)/m) * (all - refused)) / all,
    latency: { p50Ms: percentile(50), p99Ms: percentile(99) },
  }
}
