/**
 * `kt fleet collect`: the report of a run whose coordinator was lost, made of what its workers left with the broker. A
 * worker that left nothing is named. Of a sweep it is the last level that has results.
 */
import { z } from 'zod'
import { EXIT, UserError } from '../errors.ts'
import { InOrder, Pieces } from '../load/fleet/in-order.ts'
import type { Link } from '../load/fleet/link.ts'
import { BlockMachines, faultsIn, type Member, toldBy } from '../load/fleet/members.ts'
import * as protocol from '../load/fleet/protocol.ts'
import { type RunRecord, recordSum } from '../load/merge.ts'
import type { BenchReport } from '../report/schema.ts'
import { withFleet } from '../verdict/fleet.ts'
import type { AboutRun } from './about-run.ts'
import { buildReport } from './build-report.ts'
import { reportOfFleet } from './fleet-report.ts'

const ANSWER_WITHIN_MS = 1_000

/** The same version of kt wrote it. */
const aboutSchema = z.looseObject({
  plan: protocol.planSchema,
  context: z.looseObject({
    version: z.string(),
    startedAt: z.string(),
    command: z.string(),
    urls: z.array(z.string()),
  }),
  workers: z.array(protocol.cardSchema),
}) as unknown as z.ZodType<AboutRun>

/** What the workers left of one job. */
class Results {
  readonly records = recordSum()
  readonly machines = new BlockMachines()
  readonly of = new Map<number, Pick<Member, 'told' | 'faults'>>()

  add(index: number, facts: protocol.WorkerFacts, record: RunRecord): void {
    this.records.add(record, index)
    this.machines.add(facts, record)
    this.of.set(index, { told: toldBy(facts, record), faults: faultsIn(facts) })
  }
}

export async function collectRun(link: Link, run: string): Promise<BenchReport> {
  await assertOver(link, run)
  const abouts = new Map<number, Uint8Array>()
  const jobs = new Map<number, Results>()
  const pieces = new Pieces()
  const results = new InOrder((index, result) => {
    if (!result.ok || result.value.failed !== undefined) return
    const { job, message, facts } = result.value
    if (message.type !== 'done' || !facts) return
    const known = jobs.get(job) ?? new Results()
    jobs.set(job, known)
    known.add(index, facts, message.record)
  })
  await link.readAll(protocol.streamOf(run), (subject, data) => {
    if (subject !== protocol.SUBJECTS.results(run, 'about')) results.take(subject, data)
    else {
      const about = pieces.add(data)
      if (about) abouts.set(about.number, about.whole)
    }
  })
  const [job, bytes] = [...abouts].filter(([number]) => jobs.has(number)).at(-1) ?? []
  const about = bytes && protocol.read(aboutSchema, bytes, 'what the run was about')
  const left = jobs.get(job ?? 0)
  if (!about || !left) {
    throw new UserError(
      `no worker of run ${run} has left a result`,
      'Workers leave theirs within seconds after they lost the coordinator: ask again.',
      EXIT.inconclusive,
    )
  }
  if (!about.ok) throw new UserError(about.why, 'Collect it with the version of kt that ran it.')
  return reportOf(run, about.value, left)
}

function reportOf(run: string, { plan, context, workers }: AboutRun, results: Results): BenchReport {
  const members = workers.slice(0, plan.workers).map((card, index): Member => {
    return { card, ...(results.of.get(index) ?? { told: undefined, faults: ['it left no result'] }) }
  })
  const { fleet, machineOf } = reportOfFleet(run, members, results.machines)
  const faults = ['the coordinator was lost', ...fleet.faults]
  const report = buildReport(plan, results.records.total(), { ...context, machineOf, fleet: { ...fleet, faults } })
  return { ...report, interrupted: true, gate: withFleet(report) }
}

/** What a coordinator still needs is not taken from it. */
async function assertOver({ nc, jsm }: Link, run: string): Promise<void> {
  const answer = await nc
    .request(protocol.SUBJECTS.clock(run), '', { timeout: ANSWER_WITHIN_MS })
    .catch(() => undefined)
  if (answer) {
    throw new UserError(
      `run ${run} goes on: its coordinator answers`,
      'It writes the report itself.',
      EXIT.inconclusive,
    )
  }
  const kept = await keptRuns(await jsm())
  if (kept.includes(run)) return
  const others = kept.length > 0 ? `It keeps ${kept.join(', ')}.` : 'It keeps no run.'
  throw new UserError(`the broker keeps nothing of run ${run}`, others)
}

/** The runs of which the broker still keeps results. */
export async function keptRuns(jsm: Awaited<ReturnType<Link['jsm']>>): Promise<string[]> {
  const runs: string[] = []
  for await (const name of jsm.streams.names()) if (name.startsWith(protocol.streamOf(''))) runs.push(name.slice(7))
  return runs
}

/** The results of a run are not needed any longer. */
export async function forgetRun(link: Link, run: string): Promise<void> {
  const jsm = await link.jsm()
  await jsm.streams.delete(protocol.streamOf(run))
}
