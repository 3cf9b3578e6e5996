/**
 * The added latency by an instrument that shares nothing with kt's own client: node:http, one request directly and the
 * same one through the gateway, in turns. Its figure is the median of the differences, whose interval needs no
 * assumption on how they are spread.
 */
import { Agent, request } from 'node:http'
import { quantileRanks } from '../../src/stats/quantile-interval.ts'

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

export async function rawPairs(direct: Ask, through: Ask, pairs: number): Promise<RawReading> {
  const [one, other] = [askerOf(direct), askerOf(through)]
  const differences: number[] = []
  for (let pair = -WARM_UP; pair < pairs; pair++) {
    // Who is first changes, so that none has the warmer caches.
    const first = pair % 2 === 0
    const early = await (first ? one : other)(pair)
    const late = await (first ? other : one)(pair)
    if (pair >= 0) differences.push(first ? late - early : early - late)
  }
  one.close()
  other.close()
  differences.sort((a, b) => a - b)
  const ranks = quantileRanks(pairs, 0.5)
  const at = (rank: number): number => differences[Math.min(pairs, Math.max(1, rank)) - 1] ?? Number.NaN
  return { pairs, p50Ms: at(Math.ceil(pairs / 2)), ci95: [at(ranks.lower), at(ranks.upper)] }
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
