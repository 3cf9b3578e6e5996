/**
 * What a peak would take of a gateway: a sweep of one worker, alone on the machine but for the client and the provider,
 * whose CPU is read beside its own, then `kt plan --from-bench` on it.
 */
import { join } from 'node:path'
import { busyShare, type MeasuredRun, reasonUnusable } from '../../src/plan/calibrate/run.ts'
import { measuredRuns } from '../../src/planning/measured-runs.ts'
import { planSchema } from '../../src/report/plan-schema.ts'
import { now } from '../../src/system/clock.ts'
import { findProcesses } from '../../src/watch/processes.ts'
import { API_KEY, type Gateway } from '../setup/gateways.ts'
import { kt, startKt } from '../support/kt.ts'
import type { PeakOf, Plan } from './peak-page.ts'

const PEAK = ['--input-peak', '80M', '--output-peak', '10M']
/** Streams of 200 tokens/s, within what hosted models do, so that short levels hold several whole ones. */
export const PACE = ['--ttft', '20ms', '--token-gap', '5ms']
/** On a noisy machine levels are measured again. */
const LONGEST_MS = 75_000
const FEWEST_LEVELS = 3

export interface SweepLength {
  levels: readonly number[]
  step: string
}

/** Levels far apart, for less than a minute in all: those of a slow gateway and those of a quick one. */
export function lengthOf(seconds: number): SweepLength {
  return { levels: [2, 4, 16, 64, 128], step: `${Math.min(4, Math.max(2, Math.round(seconds / 4)))}s` }
}

/** The same peak by the vendors' own figures, which also says how long its requests are taken to be. */
export async function planByVendors(): Promise<Plan> {
  return planOf(planArgs())
}

const planArgs = (...from: string[]) => ['plan', ...PEAK, ...from, '--json']

async function planOf(args: readonly string[], cwd?: string): Promise<Plan> {
  const { code, stdout, stderr } = await kt([...args], {}, cwd)
  // What to do about it stands on the next line.
  if (code !== 0) throw new Error(stderr.trim().split('\n')[0])
  return planSchema.parse(JSON.parse(stdout))
}

export async function peakOf(
  gateway: Pick<Gateway, 'name' | 'url' | 'headers' | 'pid'>,
  vendors: Plan,
  provider: { pid: number },
  { levels, step }: SweepLength,
  scratch: string,
): Promise<{ commands: string[][]; peak: PeakOf }> {
  const { name, url, headers, pid } = gateway
  const { request } = vendors.demand
  const report = `sweep-${name}.json`
  const args = [
    ...['bench', 'sweep', '--url', url, '--gateway-pid', String(pid)],
    ...Object.entries(headers).flatMap(([key, value]) => ['--header', `${key}: ${value}`]),
    ...['--stream', '--input-tokens', String(Math.round(request.inputTokens))],
    ...['--output-tokens', String(Math.round(request.outputTokens)), '--timeout', '12s'],
    ...['--concurrency', levels.join(','), '--step', step, '--output', report],
  ]
  const running = startKt(args, { KT_API_KEY: API_KEY }, scratch)
  const [client, upstream] = findProcesses([
    { name: 'client', pid: running.child.pid ?? 0 },
    { name: 'provider', pid: provider.pid },
  ])
  // Before the first level the client compiles its code.
  void running.said(/level 1 of/).then(() => {
    for (const watch of [client, upstream]) watch?.measuring(now())
  })
  let tooLong = ''
  const guard = setTimeout(() => {
    tooLong = `was ended after ${LONGEST_MS / 1_000} s`
    running.ctrlC()
  }, LONGEST_MS)
  const { code, stderr } = await running.ended
  clearTimeout(guard)
  const loaded = { clientPercent: busiest(client?.end().readings), providerPercent: busiest(upstream?.end().readings) }
  // No plan may rest on half a sweep: the lower levels alone make a whole one.
  if (tooLong && levels.length > FEWEST_LEVELS)
    return peakOf(gateway, vendors, provider, { levels: levels.slice(0, FEWEST_LEVELS), step }, scratch)
  const end = tooLong || `ended with ${code}: ${stderr.trim().split('\n').slice(-3).join(' ')}`
  const planned = code === 0 ? await planFrom(report, scratch) : unplanned(`the sweep ${end}`)
  return { commands: [args, fromBench(report)], peak: { name, ...planned, ...loaded } }
}

const fromBench = (report: string) => planArgs('--from-bench', report)

/** The plan from a report in this folder, or why there is none; and how busy the worker was. */
export async function planFrom(report: string, folder: string): Promise<Pick<PeakOf, 'plan' | 'why' | 'busy'>> {
  const planned = await planOf(fromBench(report), folder).then(
    (plan) => ({ plan }),
    (error: Error) => unplanned(error.message),
  )
  return { ...planned, busy: busyIn(join(folder, report)) }
}

/** The busiest level that a plan may rest on; of all where it may rest on none. */
function busyIn(path: string): number | null {
  let runs: MeasuredRun[]
  try {
    runs = measuredRuns(path, 1)
  } catch {
    // What is wrong with the report is why there is no plan.
    return null
  }
  const usable = runs.filter((run) => reasonUnusable(run, 1) === undefined)
  const shares = (usable.length > 0 ? usable : runs).flatMap((run) => busyShare(run) ?? [])
  return shares.length === 0 ? null : Math.max(...shares)
}

const unplanned = (why: string) => ({ plan: null, busy: null, why: why.replace(/^kt: /, '').replaceAll(/\s+/g, ' ') })

function busiest(readings: readonly { cpuPercent: number }[] = []): number | null {
  return readings.length === 0 ? null : Math.max(...readings.map(({ cpuPercent }) => cpuPercent))
}
