// Tools measured in turns, round by round, and what each says of a run beside the provider's own record of it. A tool
// that cannot be had, or fails, is left out with its reason.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTruth } from '../../../dist/src/overhead/provider-records.js'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { findPeer, reasonOf } from '../../setup/peers/find.ts'
import { inTurns } from '../gateway/measure.js'
import { aligned, say } from '../instrument/rig.js'
import { summarise } from './summary.ts'

/** The part of the asked rate under which a tool is said not to have kept it. */
const KEPT = 0.98

/** What `measured` makes of each tool's runs under `load`, by its name; and why the other tools have none. */
export async function toolsInTurns(tools, rounds, load, measured = figuresOf) {
  const arms = {}
  const notRun = {}
  for (const tool of tools) {
    const found = await programOf(tool)
    if (found.ok) arms[tool.name] = { tool, program: found.program }
    else notRun[tool.name] = found.why
  }
  const seen = await inTurns(arms, rounds, async ({ tool, program }) => {
    if (notRun[tool.name] !== undefined) return undefined
    const folder = await mkdtemp(join(tmpdir(), 'kt-peer-'))
    try {
      return await measured(tool, program, load, folder)
    } catch (error) {
      notRun[tool.name] = reasonOf(error)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
  for (const name of Object.keys(notRun)) delete seen[name]
  const versions = Object.fromEntries(Object.entries(arms).map(([name, { program }]) => [name, program.version]))
  return { seen, notRun, versions }
}

function programOf(tool) {
  if (tool.peer !== undefined) return findPeer(tool.peer)
  return {
    ok: true,
    program: { version: tool.version, command: process.execPath, args: [tool.script], env: process.env },
  }
}

const figuresOf = (tool, program, load, folder) => tool.run(program, load, folder)

/** The tool's figure less the provider's own for the same requests: `figure` is latency or ttft. */
export function aboveTheRecord(figure) {
  return async (tool, program, load, folder) => {
    await fetch(`${load.origin}/__kt/truth`, { method: 'DELETE' })
    const seen = await tool.run(program, load, folder)
    if (!seen[figure]) throw new Error(`it has no ${figure}`)
    const held = await heldTimes(load.origin, figure, seen.answered)
    if (held.count < seen.answered) throw new Error(`the provider saw ${held.count} of its ${seen.answered} requests`)
    const above = ({ p50Ms, p99Ms }) => ({
      p50: p50Ms - held.quantileUs(0.5) / 1_000,
      p99: p99Ms - held.quantileUs(0.99) / 1_000,
    })
    return { ...seen, ...above(seen[figure]), fromSent: seen.service && above(seen.service) }
  }
}

/** Of the last `answered` requests that were answered to their end; those before them were the tool's warm-up. */
async function heldTimes(origin, figure, answered) {
  const all = []
  for await (const { receivedUs, firstWriteUs, lastWriteUs, aborted } of readTruth(origin)) {
    const writtenUs = figure === 'ttft' ? firstWriteUs : lastWriteUs
    if (writtenUs !== null && !aborted) all.push(writtenUs - receivedUs)
  }
  const held = new Histogram()
  for (const us of all.slice(-answered)) held.record(us)
  return held
}

export const of = (runs, figure) => runs.map((run) => run[figure])

/** A median, and its range over the rounds. */
export function ranged(values, digits = 2) {
  const { median, lowest, highest } = summarise(values)
  return `${median.toFixed(digits)} (${lowest.toFixed(digits)} to ${highest.toFixed(digits)})`
}

/** One line a tool: its cells, or why it did not run. `rps`: the rate that was asked for. */
export function printTools({ seen, notRun, versions }, heads, cells, rps) {
  const rows = Object.entries(seen).map(([name, runs]) => {
    const failed = of(runs, 'failed').reduce((sum, count) => sum + count, 0)
    const missed = failed > 0 ? `${failed} failed` : 'all answered'
    return [`${name} ${versions[name]}`, ...cells(runs), rps === undefined ? missed : `${missed}, ${pace(runs, rps)}`]
  })
  for (const row of aligned([['', ...heads, ''], ...rows])) say(`  ${row}`)
  for (const [name, why] of Object.entries(notRun)) say(`  ${name}: not run: ${why}`)
}

function pace(runs, rps) {
  const { median } = summarise(of(runs, 'perSecond'))
  return median >= KEPT * rps ? 'rate kept' : `rate not kept: ${median.toFixed(1)} of ${rps}/s`
}
