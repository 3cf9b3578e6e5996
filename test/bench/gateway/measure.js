// What the gateway's benchmarks share: load on a URL, arms in turns, medians, and a printed line for each figure with
// its target.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'undici'

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const KT = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
export const HEADERS = { 'content-type': 'application/json' }

export const chat = (content, rest = {}) =>
  JSON.stringify({ model: 'm', ...rest, messages: [{ role: 'user', content }] })

/**
 * Two output policies as the guide's example has them, and two input policies. `detect`: only these of personal data.
 */
export function policies({ input = false, detect }) {
  const output = { type: 'output_filter', parallel_group: 'out' }
  const prompts = { type: 'input_filter', parallel_group: 'in' }
  return [
    ...(input ? [{ name: 'words', ...prompts, action: 'block', keywords: ['launch code'] }] : []),
    ...(input ? [{ name: 'pii', ...prompts, action: 'redact', kind: 'pii' }] : []),
    { name: 'content-filter', ...output, action: 'block' },
    { name: 'pii-redaction', ...output, action: 'redact', ...(detect && { detect }) },
  ]
}

/** One request; resolves at its end. `data` sees every piece of its answer. */
export function ask(
  client,
  body,
  { headers = HEADERS, path = '/v1/chat/completions', data = () => {}, head = () => {} } = {},
) {
  return new Promise((resolve, reject) => {
    client.dispatch(
      { method: 'POST', path, headers, body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, status, answered) => {
          if (status !== 200) reject(new Error(`status ${status}`))
          head(answered)
        },
        onResponseData: (_controller, chunk) => data(chunk),
        onResponseEnd: (_controller, trailers) => resolve(trailers),
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

/** Keeps `concurrency` requests in flight for a while, each on its own connection; answers a second. */
export async function keepBusy(url, seconds, concurrency, body, options) {
  const startedMs = performance.now()
  const untilMs = startedMs + seconds * 1_000
  let done = 0
  let endedMs = startedMs
  const lane = async () => {
    const client = new Client(url, { allowH2: false })
    while (performance.now() < untilMs) {
      await ask(client, body, options)
      done++
      endedMs = performance.now()
    }
    await client.close()
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return (done * 1_000) / (endedMs - startedMs)
}

/** Runs `kt bench` to its end, without what it prints unless `stdout` says otherwise. Its exit code. */
export async function ktBench(words, stdout = 'ignore') {
  const child = spawn(process.execPath, [KT, 'bench', ...words], { stdio: ['ignore', stdout, 'inherit'] })
  const [code] = await once(child, 'exit')
  return code
}

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Measures every arm once a turn, the order turned round each time; the values of each. The first turn warms up. */
export async function inTurns(arms, turns, measure) {
  const seen = Object.fromEntries(Object.keys(arms).map((name) => [name, []]))
  for (let turn = -1; turn < turns; turn++) {
    const names = turn % 2 === 0 ? Object.keys(arms) : Object.keys(arms).reverse()
    for (const name of names) {
      const value = await measure(arms[name], turn)
      if (turn >= 0) seen[name].push(value)
    }
  }
  return seen
}

export const sorted = (values) => [...values].sort((a, b) => a - b)
export const quantile = (values, q) => sorted(values)[Math.min(values.length - 1, Math.floor(q * values.length))]
export const median = (values) => quantile(values, 0.5)

/** The median of the turns' ratios to a peer, and between which two they all lie. */
export function ratioTo(values, peers) {
  const ratios = values.map((value, turn) => value / peers[turn])
  return { value: median(ratios), range: `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}` }
}

/** `target`: `{ atLeast }` or `{ atMost }`; without one the figure is there to be compared with. */
export function line(what, value, unit, { atLeast, atMost, note = '' } = {}) {
  const shown = value >= 1_000 ? Math.round(value).toLocaleString('en') : value.toFixed(unit === 'x' ? 2 : 3)
  const target = atLeast ?? atMost
  const reached = atLeast !== undefined ? value >= atLeast : value <= atMost
  const said =
    target === undefined
      ? ''
      : `   aim ${atLeast !== undefined ? '>=' : '<='} ${target.toLocaleString('en')}: ` +
        `${reached ? 'reached' : 'NOT reached'}`
  process.stdout.write(`${what.padEnd(52)} ${shown.padStart(10)} ${unit.padEnd(4)}${said}${note && `   ${note}`}\n`)
}
