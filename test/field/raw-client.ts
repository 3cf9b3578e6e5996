/**
 * The added latency by an instrument that shares nothing with kt's own client: node:http, one request directly and the
 * same one through the gateway, in turns. Its figure is the difference of the two medians, as kt's is; the interval is
 * that of drawing the pairs anew (percentile bootstrap).
 */
import { Agent, request } from 'node:http'
import { randomFrom } from '../../src/stats/random.ts'

export interface Ask {
  url: string
  headers: Record<string, string>
}

export interface RawReading {
  pairs: number
  p50Ms: number
  ci95: [number, number]
}

const WARM_UP = 20
const REDRAWN = 2_000

export async function rawPairs(direct: Ask, through: Ask, pairs: number): Promise<RawReading> {
  const [one, other] = [askerOf(direct), askerOf(through)]
  const took: Took[] = []
  for (let pair = -WARM_UP; pair < pairs; pair++) {
    // Who is first changes, so that none has the warmer caches.
    const first = pair % 2 === 0
    const early = await (first ? one : other)(pair)
    const late = await (first ? other : one)(pair)
    if (pair >= 0) took.push(first ? { directMs: early, throughMs: late } : { directMs: late, throughMs: early })
  }
  one.close()
  other.close()
  const random = randomFrom('pairs')
  const again = () => took.map((_, index) => took[Math.floor(random() * pairs)] ?? took[index])
  const redrawn = Array.from({ length: REDRAWN }, () => addedMs(again())).sort((a, b) => a - b)
  const at = (share: number): number => redrawn[Math.round(share * (REDRAWN - 1))] ?? Number.NaN
  return { pairs, p50Ms: addedMs(took), ci95: [at(0.025), at(0.975)] }
}

interface Took {
  directMs: number
  throughMs: number
}

function addedMs(took: readonly (Took | undefined)[]): number {
  const of = (key: keyof Took) => medianOf(took.flatMap((pair) => pair?.[key] ?? []))
  return of('throughMs') - of('directMs')
}

function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}

/** One kept connection. Resolves to the milliseconds from the call to the end of the answer. */
function askerOf({ url, headers }: Ask) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const target = new URL(`${url.replace(/\/v1$/, '')}/v1/chat/completions`)
  const ask = (pair: number): Promise<number> => {
    const messages = [{ role: 'user', content: `Say hello in one word ${pair}` }]
    const body = JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 16, messages })
    const given = { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const startMs = performance.now()
      const sent = request(target, { method: 'POST', agent, headers: given }, (answer) => {
        answer.resume().on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(performance.now() - startMs)
          else reject(new Error(`${target.origin} answered ${answer.statusCode}`))
        })
      })
      sent.on('error', reject).end(body)
    })
  }
  return Object.assign(ask, { close: () => agent.destroy() })
}
