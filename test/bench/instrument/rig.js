// What the instrument's benchmarks share: targets in processes of their own, one run of kt, and the table of figures
// and aims.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { startRun } from '../../../dist/src/load/run.js'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { promptWorkload } from '../../../dist/src/workload/workload.js'

export const PATH = '/v1/chat/completions'

/** A target of targets.js, ready. */
export async function target(kind, ...options) {
  const child = fork(new URL('targets.js', import.meta.url), [kind, ...options.map(String)], { execArgv: [] })
  const [port] = await once(child, 'message')
  const scheme = options.includes('https') || options.includes('h2') ? 'https' : 'http'
  return { port, origin: `${scheme}://127.0.0.1:${port}`, close: () => child.disconnect() }
}

export function workload(stream = false, maxTokens = 1) {
  const shape = { endpoint: 'chat', model: 'gpt-4o-mini', prompt: 'Say hello in one word' }
  return promptWorkload({ ...shape, stream, maxTokens, seed: 1 })
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kt' }

/**
 * One run of kt against `origin`, full measurement on, as the command does it. `samples` hears the times of requests;
 * `watch` makes a listener of its own for the plan.
 */
export async function run(
  origin,
  load,
  more = {},
  sends = workload(),
  progress = () => {},
  samples = undefined,
  watch = undefined,
) {
  const tag = String.fromCharCode(...Array.from({ length: 8 }, () => 97 + Math.floor(Math.random() * 26)))
  const plan = {
    arms: [{ name: 'target', origin, path: PATH, headers: HEADERS, tag }],
    workload: sends,
    load,
    requests: undefined,
    durationUs: 3e6,
    blocks: 20,
    warmup: 0,
    warmupUs: 0.5e6,
    timeoutUs: 30e6,
    jitWarmup: true,
    tokenBudget: undefined,
    ...more,
  }
  const record = await (await startRun(plan, { progress, samples, ...watch?.(plan) })).result
  const [arm] = record.arms
  const done = arm.outcomes.OK ?? 0
  return {
    plan,
    record,
    arm,
    done,
    rate: (done * 1e6) / arm.activeUs,
    /** Of the whole process: two threads of kt count as both. */
    cpuUs: (record.self.cpuShare * record.measuredUs) / done,
  }
}

export const say = (text) => process.stdout.write(`${text}\n`)
export const ms = (us) => (us / 1_000).toFixed(3)
export const count = (value) => Math.round(value).toLocaleString('en')
export const decode = (packed) => Histogram.unpack(packed)
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
export const quantiles = (histogram) => `P50 ${ms(histogram.quantileUs(0.5))}  P99 ${ms(histogram.quantileUs(0.99))} ms`

/** Rows of figure and aim; `ratio` is the figure over its aim, or over the peer's where there is one. */
export class Table {
  #rows = []

  /** `best`: 'low' when the figure must not exceed the aim, 'high' when it must reach it. */
  row(what, figure, unit, aim, best, ratio = figure / aim) {
    const reached = best === 'low' ? figure <= aim : figure >= aim
    this.#rows.push([what, number(figure), unit, number(aim), ratio.toFixed(2), reached ? 'yes' : 'no'])
  }

  print() {
    const head = ['what', 'figure', 'unit', 'aim', 'ratio', 'reached']
    say('')
    for (const row of aligned([head, ...this.#rows], [0, 2])) say(`  ${row}`)
  }
}

/** Rows of cells as lines, in columns; those of the `left` columns begin at the left. */
export function aligned(rows, left = [0]) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const pad = (cell, i) => (left.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
  return rows.map((row) => row.map(pad).join('  '))
}

function number(value) {
  return Math.abs(value) >= 1_000 ? count(value) : value.toFixed(Math.abs(value) < 1 ? 3 : 2)
}
