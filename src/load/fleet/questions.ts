/** What a worker asks its coordinator: a plan, rows of a trace, the time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunPlan } from '../plan.ts'
import type { RemoteTimes } from './clock-offset.ts'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

const ASK_WITHIN_MS = 1_000
const RETRY_MS = 200

export class Questions {
  readonly run: string
  readonly #link: Link
  readonly #over: () => boolean

  /** Once it is `over` for this worker, nothing is asked again. */
  constructor(link: Link, run: string, over: () => boolean) {
    this.run = run
    this.#link = link
    this.#over = over
  }

  /** Again and again while the coordinator is there: a broker that restarts loses a question. */
  async ask(subject: string, question: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      try {
        return (await this.#link.nc.request(subject, question, { timeout: ASK_WITHIN_MS })).data
      } catch (error) {
        if (this.#over()) throw error
        await sleep(RETRY_MS)
      }
    }
  }

  async plan(job: number, parts: number): Promise<RunPlan> {
    const pieces: Uint8Array[] = []
    while (pieces.length < parts) {
      pieces.push(await this.ask(protocol.SUBJECTS.plan(this.run), protocol.write({ job, part: pieces.length })))
    }
    const plan = protocol.read(protocol.planSchema, Buffer.concat(pieces), 'the plan')
    if (!plan.ok) throw new Error(plan.why)
    return plan.value
  }

  readonly clock = async (): Promise<RemoteTimes | undefined> => {
    try {
      const { data } = await this.#link.nc.request(protocol.SUBJECTS.clock(this.run), '', { timeout: ASK_WITHIN_MS })
      const times = protocol.read(protocol.timesSchema, data, 'a clock')
      return times.ok ? times.value : undefined
    } catch {
      return undefined
    }
  }
}
