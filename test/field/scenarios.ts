/** What each gateway is put through: the flags of `kt bench`, and the provider that stands behind. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** stalls: some answers stop for longer than the client waits; cached: caches of gateways are on. */
export type Setting = 'plain' | 'stalls' | 'cached'

export interface Scenario {
  name: string
  title: string
  setting: Setting
  flags: string[]
  /** Whether every request is to be answered. */
  whole: boolean
}

const MIB = 1024 ** 2
const STALLED = '10%'
/** A client that leaves does so after this many tokens of an answer that has many more. */
const LEAVES = ['--cancel-share', '20%', '--cancel-after', '10', '--max-tokens', '100']

/** `scratch` takes the files that some of them send: there they run. */
export function scenariosIn(scratch: string): Scenario[] {
  const prompts = 'prompts.jsonl'
  writeFileSync(join(scratch, prompts), `${JSON.stringify({ prompt: 'word '.repeat(Math.ceil(MIB / 5)) })}\n`)
  const plain = (name: string, title: string, ...flags: string[]): Scenario => {
    return { name, title, setting: 'plain', flags, whole: true }
  }
  return [
    plain('json-1', 'JSON, 1 in flight', '--concurrency', '1', '--max-tokens', '16'),
    plain('json-16', 'JSON, 16 in flight', '--concurrency', '16', '--max-tokens', '16'),
    plain('streams-1', 'streams, 1 in flight', '--concurrency', '1', '--max-tokens', '16', '--stream'),
    plain('streams-16', 'streams, 16 in flight', '--concurrency', '16', '--max-tokens', '16', '--stream'),
    plain('prompts-1mib', 'prompts of 1 MiB, 2 in flight', '--prompts', prompts, '--concurrency', '2'),
    plain('leaving', 'streams, a fifth of whose clients leave', '--concurrency', '8', '--stream', ...LEAVES),
    {
      name: 'stalls',
      title: `streams, ${STALLED} of which the provider stops for 3 s; the client waits 1 s`,
      setting: 'stalls',
      flags: ['--concurrency', '8', '--max-tokens', '16', '--stream', '--idle-timeout', '1s'],
      whole: false,
    },
    {
      name: 'cache',
      title: 'JSON, half of the requests asked before, 4 in flight',
      setting: 'cached',
      flags: ['--concurrency', '4', '--max-tokens', '16', '--cache-hits', '50%', '--extra-body', '{"temperature":0}'],
      whole: true,
    },
  ]
}

/** One gateway and the provider by turns, request by request. */
export function pairsOf(gateway: string): Scenario {
  const flags = ['--pairing', 'request', '--concurrency', '1', '--max-tokens', '16']
  return { name: `pairs-${gateway}`, title: `pairs through ${gateway}`, setting: 'plain', flags, whole: true }
}

/** The provider answers at a steady pace, so that what differs is the gateways'. */
export function providerFlags(setting: Setting, scratch: string): string[] {
  const pace = ['--ttft', '20ms', '--token-gap', '2ms']
  if (setting !== 'stalls') return pace
  const profile = join(scratch, 'stalls.yaml')
  writeFileSync(profile, `about: some answers stop\nfaults: { stall: ${STALLED}, stall_for: 3s }\n`)
  return ['--profile', profile, ...pace]
}

export const IN_SHORT_FORM: readonly string[] = ['json-1', 'streams-16']
