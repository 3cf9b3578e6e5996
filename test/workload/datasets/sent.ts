/** The bodies that a dataset comes to, with their nonces as 'NONCE'. */
import { fileURLToPath } from 'node:url'
import { chooseWorkload, type WorkloadOptions } from '../../../src/workload/choose.ts'
import { countGiven } from '../../../src/workload/given.ts'
import { requestMaker } from '../../../src/workload/request-maker.ts'
import type { WorkloadSpec } from '../../../src/workload/workload.ts'

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/datasets/${name}`, import.meta.url))
}

interface Sent {
  bodies: Record<string, unknown>[]
  workload: WorkloadSpec
}

/** A request of every row. */
export function sendAll(prompts: string, options: Partial<WorkloadOptions> = {}): Sent {
  const workload = chooseWorkload({ seed: 1, prompts, ...options })
  const make = requestMaker(workload)
  const source = workload.parts[0]?.source
  const count = source?.kind === 'given' ? countGiven(source) : 0
  const bodies = Array.from({ length: count }, (_, index) => {
    const { nonce, body } = make('aaaaaaaa', index)
    return JSON.parse(body.replace(`kt${nonce}`, 'NONCE'))
  })
  return { bodies, workload }
}

const asUser = (content: string) => ({ role: 'user', content })

/** Of a body with one message of a user. */
export function asks(text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'gpt-4o-mini', messages: [asUser(`${text} NONCE`)], ...more }
}
