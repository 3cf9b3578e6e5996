/**
 * The validating requests: before anything else, the JIT warm-up too, each arm gets one request of the workload, over
 * a connection of its own. A failure that every other request would meet alike (a wrong key, model or path, a request
 * that the target refuses, a target that cannot be reached) ends the run there, and is its result. Any other failure
 * may pass, so it is noted and the run goes on; and so it is where other gateways are to be measured that answered.
 * What goes well is in no figure of the run. A target that refuses the member that asks for output tokens, and names
 * the other one, is asked with that.
 */
import { randomUUID } from 'node:crypto'
import { UserError } from '../errors.ts'
import type { RunRecord } from '../load/merge.ts'
import { planBeside, type RunPlan } from '../load/plan.ts'
import { randomFrom } from '../stats/random.ts'
import { localClients, localListeners } from '../system/listeners.ts'
import { MAX_TOKENS_FIELDS, type MaxTokensField } from '../wire/body-changes.ts'
import { drawArmTag } from '../wire/nonce.ts'
import { OUTCOMES, type Outcome } from '../wire/outcome.ts'
import { asksForTokens } from '../workload/workload.ts'
import { failureDetails } from './build-report.ts'

export function validatingPlan(plan: RunPlan): RunPlan {
  const unique = randomFrom(randomUUID())
  // Nonces of their own: a cache in the gateway must not know the first measured request already.
  const arms = plan.arms.map((arm) => ({ ...arm, tag: drawArmTag(unique) }))
  const stopWhenRefused = !plan.outlivesArms
  return { ...planBeside(plan, arms, 1), stopWhenRefused, tokenBudget: undefined, costBudget: undefined }
}

/** Of several gateways the run ends where none of them has answered. */
export function refusedByAll({ outlivesArms, baseline }: RunPlan, record: RunRecord): RunRecord {
  const gateways = record.arms.filter((_, arm) => arm !== baseline)
  const refused = outlivesArms && gateways.every(({ outcomes }) => outcomes.OK === undefined)
  return refused && record.stopReason === null ? { ...record, stopReason: 'refused' } : record
}

/**
 * Refuses a gateway whose requests arrive at another one that is measured too, so that one of them would be measured
 * through the other: right after the validating requests its process still has a connection there. It is known of
 * servers of this machine only.
 */
export async function assertApart({ arms, baseline, outlivesArms }: RunPlan): Promise<void> {
  if (!outlivesArms) return
  const gateways = arms.filter((_, arm) => arm !== baseline)
  for (const through of gateways) {
    // Whoever serves several of them and sends as well cannot be told from kt itself.
    const servers = (await localListeners(through.origin)).filter((pid) => pid !== process.pid)
    for (const other of servers.length === 0 ? [] : gateways) {
      if (other === through) continue
      const clients = await localClients(other.origin)
      if (!servers.some((pid) => clients.includes(pid))) continue
      throw new UserError(
        `the requests of the arm ${through.name} arrive at the arm ${other.name}, which is measured too`,
        `Point ${through.name} at the provider itself, or leave one of them out.`,
      )
    }
  }
}

/** Whether the run ends with its validating requests: one was refused, or the user has interrupted it. */
export function endsTheRun({ stopReason }: RunRecord): boolean {
  return stopReason === 'refused' || stopReason === 'interrupted'
}

/** Whether any of the arms failed its request. */
export function hasFailed({ arms }: RunRecord): boolean {
  return arms.some(({ outcomes }) => Object.keys(outcomes).some((code) => code !== 'OK'))
}

/** How targets refuse an API that they do not speak: no such path, or no such method of it. */
const NOT_SPOKEN = /^HTTP 40[45]\b/

const [USUAL_FIELD, NEWER_FIELD] = MAX_TOKENS_FIELDS

/** The member to ask for output tokens with, where a target refused the usual one and named it. */
export function learnMaxTokensField({ workload }: RunPlan, { arms }: RunRecord): MaxTokensField | undefined {
  const isOpen = workload.endpoint === 'chat' && workload.maxTokensField === undefined
  if (!isOpen || !asksForTokens(workload)) return undefined
  const refusals = arms.flatMap(({ details }) => details.KT_HTTP_4XX ?? [])
  const named = refusals.some((text) => text.includes(NEWER_FIELD) && new RegExp(`\\b${USUAL_FIELD}\\b`).test(text))
  return named ? NEWER_FIELD : undefined
}

/** What a user is told of it. */
export const LEARNED_FIELD =
  `The target refuses ${USUAL_FIELD} and names ${NEWER_FIELD}: the run asks with that one. ` +
  `--max-tokens-field ${NEWER_FIELD} does from the start.`

/** The flag that leaves out what a target refuses by name. */
function adviceOn(reason: string): string | undefined {
  return /stream_options|include_usage/.test(reason) ? ' --no-usage leaves out stream_options.' : undefined
}

/** A line for each validating request that failed; none where all went well. */
export function describeFailures(
  { outlivesArms, workload: { endpoint } }: Pick<RunPlan, 'outlivesArms' | 'workload'>,
  record: RunRecord,
  urls: readonly string[],
): string[] {
  const details = failureDetails(record)
  const then = endsTheRun(record)
    ? 'Every other request would fail alike, so none was sent; --no-validate sends them all the same.'
    : outlivesArms
      ? 'The run goes on with all arms.'
      : 'That may pass: the run goes on.'
  return record.arms.flatMap(({ outcomes }, arm) =>
    Object.keys(outcomes).flatMap((code) => {
      if (code === 'OK') return []
      const { means } = OUTCOMES[code as Outcome]
      const reason = details[code as Outcome]
      const quoted = reason ? `: "${reason}"` : ''
      const isSpoken = endpoint === 'raw' || !NOT_SPOKEN.test(reason ?? '')
      const spoken = isSpoken ? '' : ` Does the target speak --endpoint ${endpoint}?`
      const advice = adviceOn(reason ?? '') ?? spoken
      return [`The validating request to ${urls[arm]} failed: ${code}, ${means}${quoted}.${advice} ${then}`]
    }),
  )
}
