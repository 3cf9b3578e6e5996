/**
 * Turns the flags of `kt plan buffers` into profiles and a number of concurrent requests: given, or in flight by the
 * demand.
 */

import { UserError } from '../errors.ts'
import { bytes, parseFlag } from '../parse/quantity.ts'
import { bufferProfileFor } from '../plan/buffers.ts'
import { makePlan } from '../plan/plan.ts'
import type { BufferProfile, Sizing } from '../plan/sizing.ts'
import { formatBytes } from '../units.ts'
import type { PlanFlags } from './plan-flags.ts'
import { wholeCount } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { readSizing } from './sizing.ts'

interface BufferRequest {
  profiles: { profile: BufferProfile; concurrency: number; workers: number; meanBodyBytes: number | undefined }[]
  sizing: Sizing
}

type BufferFlags = PlanFlags & {
  kind?: string | undefined
  'largest-prompt'?: string | undefined
  concurrency?: string | undefined
}

export async function bufferRequest(flags: BufferFlags): Promise<BufferRequest> {
  const said = DEMANDS.filter((name) => flags[name] !== undefined)
  if (flags.concurrency !== undefined && said.length > 0) {
    throw new UserError('--concurrency and a demand both say how many requests are in flight', 'Give one of them.')
  }
  if (flags.concurrency !== undefined) {
    const concurrency = wholeCount('concurrency', flags.concurrency, 'requests in flight', '1000')
    const sizing = readSizing(flags.sizing)
    return {
      sizing,
      profiles: chooseProfiles(flags, sizing).map((profile) => ({
        profile,
        concurrency,
        workers: 1,
        meanBodyBytes: undefined,
      })),
    }
  }
  if (said.length === 0)
    throw new UserError(
      'how many requests are in flight is not said',
      'Give --concurrency, or a demand such as --input-peak 80M --output-peak 10M.',
    )
  const { demand, sizing, choices } = await planRequest(flags)
  const plan = makePlan(demand, sizing, choices)
  const concurrency = Math.ceil(plan.demand.inFlight)
  const meanBodyBytes = demand.request.inputTokens * choices.figures.inputBytesPerToken.value
  return {
    sizing,
    profiles: chooseProfiles(flags, sizing).map((profile) => ({
      profile,
      concurrency,
      workers: plan.answer.workers.peak,
      meanBodyBytes,
    })),
  }
}

const DEMANDS = ['input-peak', 'output-peak', 'rps', 'requests-per-day', 'users', 'trace'] as const

/** The one that was asked for, or all of them side by side. */
function chooseProfiles(flags: BufferFlags, sizing: Sizing): BufferProfile[] {
  const known = sizing.buffers.profiles.map(({ name }) => name).join(', ')
  if (flags.kind !== undefined && flags['largest-prompt'] !== undefined)
    throw new UserError('--kind and --largest-prompt say the same', 'Give one of them.')
  if (flags.kind !== undefined) {
    const profile = sizing.buffers.profiles.find(({ name }) => name === flags.kind)
    if (!profile) throw new UserError(`--kind: no buffer profile '${flags.kind}'`, `Known: ${known}.`)
    return [profile]
  }
  if (flags['largest-prompt'] === undefined) return sizing.buffers.profiles
  const largest = parseFlag('largest-prompt', flags['largest-prompt'], bytes, '300KiB')
  const profile = bufferProfileFor(largest, sizing)
  if (!profile) {
    const top = sizing.buffers.profiles.at(-1)?.promptBelowBytes ?? 0
    throw new UserError(
      `--largest-prompt: ${formatBytes(largest)} is beyond the guide's largest prompts (${formatBytes(top)})`,
      'Upload such inputs as files and send their reference, or set the body limit by hand.',
    )
  }
  return [profile]
}
