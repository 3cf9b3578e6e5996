/** CPU and memory of processes of this machine while a run is measured, from /proc: `--arm-pid gateway=1234`. */
import { existsSync } from 'node:fs'
import { UserError } from '../errors.ts'
import type { WatchedProcess } from '../report/watch-schema.ts'
import { now } from '../system/clock.ts'
import { readProcessTree, type TreeReading } from '../system/process-tree.ts'
import { Readings } from './readings.ts'
import { Ticker } from './ticker.ts'

export interface NamedPid {
  name: string
  pid: number
}

interface Reading extends TreeReading {
  atUs: number
}

/** CPU time is told in steps of 10 ms: over a shorter span it says little. */
const SHORTEST_SPAN_S = 0.2

/** Throws a UserError where one of the processes cannot be read, before anything is sent. */
export function findProcesses(named: readonly NamedPid[]): ProcessWatch[] {
  return named.map(({ name, pid }) => new ProcessWatch(name, pid, findProcess('arm-pid', pid, `${name}=`).startTicks))
}

/** `flag` is the one that named it, `before` what stands there before the id. */
export function findProcess(flag: string, pid: number, before = ''): TreeReading {
  if (!existsSync('/proc/self/stat')) {
    throw new UserError(
      `--${flag} reads /proc, which this system does not have`,
      'Leave it out, or measure on Linux; a gateway with a /metrics page may tell the same there.',
    )
  }
  const found = readProcessTree(pid)
  if (found) return found
  throw new UserError(
    `--${flag} ${before}${pid}: there is no process ${pid} that kt may read`,
    'Give the id of a running process of this machine.',
  )
}

export class ProcessWatch {
  readonly name: string
  readonly #pid: number
  readonly #startTicks: number
  readonly #readings = new Readings<Reading>()
  readonly #ticker = new Ticker(1, (second) => this.#read(second))
  /** From which the CPU of the first reading counts. */
  #base: Reading | undefined
  #endedAtS: number | null = null

  constructor(name: string, pid: number, startTicks: number) {
    this.name = name
    this.#pid = pid
    this.#startTicks = startTicks
  }

  get hasEnded(): boolean {
    return this.#endedAtS !== null
  }

  measuring(startUs: number): void {
    if (this.#ticker.begin(startUs)) this.#base = this.#now()
  }

  end(): WatchedProcess {
    this.#ticker.end()
    const { elapsedS } = this.#ticker
    if (elapsedS % 1 >= SHORTEST_SPAN_S) this.#read(Math.floor(elapsedS), true)
    const { kept, everyS } = this.#readings
    const readings = kept.map(({ second, value }, index) => {
      const before = kept[index - 1]?.value ?? this.#base ?? value
      // A child that nobody waited for takes its time with it.
      const cpuMs = Math.max(0, value.cpuMs - before.cpuMs)
      const spanMs = (value.atUs - before.atUs) / 1_000
      return { second, cpuPercent: Math.round((cpuMs / spanMs) * 1_000) / 10, rssBytes: value.rssBytes }
    })
    return { name: this.name, pid: this.#pid, endedAtS: this.#endedAtS, everyS, readings }
  }

  #read(second: number, last = false): void {
    const reading = this.#now()
    if (!reading) return
    if (last) this.#readings.addLast(second, reading)
    else this.#readings.add(second, reading)
  }

  #now(): Reading | undefined {
    if (this.#endedAtS !== null) return undefined
    const atUs = now()
    const tree = readProcessTree(this.#pid)
    if (tree?.startTicks === this.#startTicks) return { atUs, ...tree }
    this.#endedAtS = Math.round(this.#ticker.elapsedS * 1e3) / 1e3
    return undefined
  }
}
