/** What differs between the conditions of two runs, and which of it forbids a verdict: only like is compared with like. */
import type { BenchReport } from '../report/schema.ts'

export interface Difference {
  what: string
  baseline: string
  gateway: string
  /** With this difference the runs are not comparable. */
  forbids: boolean
}

type Told = string | number | boolean | null | undefined

/** `ownReading`: the gateway's file alone carries the overhead, so that what the model costs does not enter it. */
export function differencesBetween(baseline: BenchReport, gateway: BenchReport, ownReading: boolean): Difference[] {
  const aspects: [string, (report: BenchReport) => Told, boolean][] = [
    ['workload', ({ load }) => `${load.workload.name} ${load.workload.sha256.slice(0, 8)}`, true],
    ['model', ({ target }) => target.model, !ownReading],
    ['endpoint', ({ target }) => target.endpoint, true],
    ['stream', ({ target }) => target.stream, true],
    ['load', loadOf, true],
    ['machine', machineOf, true],
    ['seed', ({ load }) => load.seed, false],
    ['requests', ({ load }) => load.requests, false],
    ['duration', ({ load }) => (load.durationS === null ? null : `${load.durationS} s`), false],
    ['timeout', ({ load }) => `${load.timeoutMs} ms`, false],
    ['node', ({ machine }) => machine.node, false],
    ['kt', ({ kt }) => kt.version, false],
    ['interrupted', ({ interrupted }) => interrupted, false],
  ]
  return aspects.flatMap(([what, read, forbids]) => {
    const [a, b] = [told(read(baseline)), told(read(gateway))]
    return a === b ? [] : [{ what, baseline: a, gateway: b, forbids }]
  })
}

function loadOf({ load }: BenchReport): string {
  const shape = load.stages ? `, stages ${JSON.stringify(load.stages.map(({ to, durationS }) => [to, durationS]))}` : ''
  if (load.mode === 'open') return `open, ${load.rps} requests/s, ${load.arrival} arrivals${shape}`
  const think = load.thinkTimeMs === undefined ? '' : `, think time ${load.thinkTimeMs} ms`
  return `closed, ${load.concurrency} in flight${think}${shape}`
}

function machineOf({ machine }: BenchReport): string {
  const quota = machine.cgroupCpuQuota === null ? '' : ` (quota ${machine.cgroupCpuQuota})`
  const memory = `${Math.round(machine.memoryBytes / 1024 ** 3)} GiB`
  return `${machine.cpuModel}, ${machine.cores} cores${quota}, ${memory}, ${machine.kernel}`
}

function told(value: Told): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value === null || value === undefined ? 'none' : String(value)
}
