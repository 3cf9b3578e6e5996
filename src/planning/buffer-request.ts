/**
 * Turns the options of `kt plan buffers` into profiles and a number of concurrent requests: given, or in flight by the
 * demand.
 */

import { z } from 'zod'
import { failure, UserError } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { Faults, givenOf, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { bytesWithUnit } from '../parse/quantity.ts'
import { bufferProfileFor } from '../plan/buffers.ts'
import { makePlan } from '../plan/plan.ts'
import type { BufferProfile, Sizing } from '../plan/sizing.ts'
import { formatBytes } from '../units.ts'
import { planFlags, QUOTA_FLAGS, wholeCount, without } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { DEMAND_FLAGS, givesDemand, PLAN_RULES } from './plan-rules.ts'
import { readSizing } from './sizing.ts'

interface BufferRequest {
  profiles: { profile: BufferProfile; concurrency: number; workers: number; meanBodyBytes: number | undefined }[]
  largestPromptBytes: number | undefined
  sizing: Sizing
}

const { text } = flagGroup('BUFFERS')

/** The flags of `kt plan buffers`. */
export const bufferFlags = {
  // What is in flight, and the workers for it, hang on nothing else of the fleet.
  ...without(
    planFlags,
    ...([
      'node',
      'machines',
      'purchase',
      'internet',
      'redundancy',
      'zones',
      'zones-lost',
      'surge',
      'target-utilisation',
    ] as const),
    ...QUOTA_FLAGS,
  ),
  kind: text(z.string().optional(), 'kind of traffic: chat, rag, batch', { helpValue: 'chat' }),
  'largest-prompt': text(bytesWithUnit.optional(), 'largest prompt, instead of --kind', { example: '300KiB' }),
  concurrency: text(wholeCount.optional(), 'requests in flight', { example: '1000' }),
  json: flagGroup().toggle('print the sizes as JSON'),
}

type BufferOptions = FlagValues<typeof bufferFlags>

const rule = rulesOf<BufferOptions>()

const BUFFER_RULES: readonly Rule<BufferOptions>[] = [
  rule(
    ['concurrency', ...DEMAND_FLAGS],
    (options) =>
      options.concurrency !== undefined &&
      givesDemand(options) &&
      failure('--concurrency and a demand both say how many requests are in flight', 'Give one of them.'),
  ),
  rule(
    ['concurrency', ...DEMAND_FLAGS],
    (options) =>
      options.concurrency === undefined &&
      !givesDemand(options) &&
      failure(
        'how many requests are in flight is not said',
        'Give --concurrency, or a demand such as --input-peak 80M --output-peak 10M.',
      ),
  ),
  rule(
    ['kind', 'largest-prompt'],
    (options) =>
      options.kind !== undefined &&
      options['largest-prompt'] !== undefined &&
      failure('--kind and --largest-prompt say the same', 'Give one of them.'),
  ),
]

export function parseBufferFlags(flags: Readonly<Record<string, unknown>>): BufferOptions {
  const faults = new Faults()
  const options = faults.read(bufferFlags, givenOf(flags))
  faults.check(options, BUFFER_RULES)
  // Without a demand, what belongs to one is of no concern.
  if (givesDemand(options)) faults.check(options, PLAN_RULES)
  faults.refuse('kt plan buffers')
  return options
}

export async function bufferRequest(options: BufferOptions): Promise<BufferRequest> {
  if (options.concurrency !== undefined) {
    const { concurrency } = options
    const sizing = readSizing(options.sizing)
    const profiles = chooseProfiles(options, sizing)
    return {
      sizing,
      largestPromptBytes: options['largest-prompt'],
      profiles: profiles.map((profile) => ({ profile, concurrency, workers: 1, meanBodyBytes: undefined })),
    }
  }
  const { demand, sizing, choices } = await planRequest(options)
  const plan = makePlan(demand, sizing, choices)
  const concurrency = Math.ceil(plan.demand.inFlight)
  const meanBodyBytes = demand.request.inputTokens * choices.figures.inputBytesPerToken.value
  return {
    sizing,
    largestPromptBytes: options['largest-prompt'],
    profiles: chooseProfiles(options, sizing).map((profile) => ({
      profile,
      concurrency,
      workers: plan.answer.workers.peak,
      meanBodyBytes,
    })),
  }
}

/** The one that was asked for, or all of them side by side. */
function chooseProfiles({ kind, 'largest-prompt': largest }: BufferOptions, sizing: Sizing): BufferProfile[] {
  const known = sizing.buffers.profiles.map(({ name }) => name).join(', ')
  if (kind !== undefined) {
    const profile = sizing.buffers.profiles.find(({ name }) => name === kind)
    if (!profile) throw new UserError(`--kind: no buffer profile '${kind}'`, `Known: ${known}.`)
    return [profile]
  }
  if (largest === undefined) return sizing.buffers.profiles
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
