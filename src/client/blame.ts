/** A request has failed without an answer: was it seen at all, and whose fault is it? */
import { plainReason } from '../wire/connection-errors.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { TargetConnection } from './connection.ts'
import { classifyError, explainIdleClose, isAbortedByClient, isRefusedByGoAway } from './failure.ts'

/** What is known of the request. */
interface Unanswered {
  connection: TargetConnection
  /** Whether its connection was open before. */
  reused: boolean
  sentUs: number
  /** When the answer before it ended. */
  idleSinceUs: number
}

interface Blame {
  outcome: Outcome
  detail: string
}

/** Whether the target has surely not seen the request: it retired its connection, and took no newer requests. */
export function isUnprocessed(error: Error, { connection }: Unanswered): boolean {
  return connection.multiplexed && isRefusedByGoAway(error)
}

/** A promise only where the target has to be asked. */
export function blame(thrown: Error, request: Unanswered, endUs: number): Blame | Promise<Blame> {
  const { connection } = request
  const { peer, multiplexed } = connection
  const error = isAbortedByClient(thrown) ? thrown : connection.causeOf(thrown)
  const outcome = classifyError(error, false)
  const detail = plainReason(error)
  if (outcome !== 'KT_RESET' && outcome !== 'KT_PROTOCOL') return { outcome, detail }
  if (!peer.answered && !peer.overTls) {
    // Only the first request is told so: the session is gone, and the others learn nothing but that.
    if (multiplexed && outcome === 'KT_PROTOCOL') peer.notHttp2 = true
    if (peer.notHttp2) return { outcome: 'KT_NO_HTTP2', detail: 'what came is no HTTP/2' }
    return peer.speaksTls().then((tls) => ({ outcome: tls ? 'KT_ONLY_TLS' : outcome, detail }))
  }
  const idleClose = multiplexed ? undefined : idleCloseOf(request, endUs)
  return idleClose === undefined ? { outcome, detail } : { outcome: 'KT_IDLE_CLOSE', detail: idleClose }
}

function idleCloseOf({ connection, reused, sentUs, idleSinceUs }: Unanswered, endUs: number): string | undefined {
  if (!reused || connection.answerBegun) return undefined
  return explainIdleClose({
    idleUs: sentUs - idleSinceUs,
    closedAfterUs: endUs - sentUs,
    openingUs: connection.connectedUs - connection.connectStartUs,
  })
}
