/**
 * Whether a run uses real-time scheduling, as --realtime says. By itself only the embedded pair does, since it is all
 * kt's own: beside another gateway on this machine the client would pre-empt what it measures.
 */
import { UserError } from '../errors.ts'
import { mayRunRealtime } from '../system/realtime.ts'

export const REALTIME = ['auto', 'on', 'off'] as const

const USED = 'Real-time scheduling (SCHED_FIFO): the sending threads'

/** Throws where it is asked for and the kernel refuses. */
export function decideRealtime(
  asked: (typeof REALTIME)[number],
  embedded: boolean,
  note: (line: string) => void,
  may: typeof mayRunRealtime = mayRunRealtime,
): boolean {
  if (asked === 'off' || (asked === 'auto' && !embedded)) return false
  const right = may()
  if (right.ok) {
    note(`${USED}${embedded ? ', the provider and the gateway' : '; a target on this machine gives way to them'}.`)
    return true
  }
  const { why, next = 'Leave --realtime out.' } = right
  if (asked === 'on') throw new UserError(`real-time scheduling is not to be had: ${why}`, next)
  note(`Without real-time scheduling (${why}): with it requests leave on time on a busy machine too. ${next}`)
  return false
}
