/** Whose fault it is that a request failed without an answer. */
import type { Outcome } from '../wire/outcome.ts'
import type { TargetConnection } from './connection.ts'
import { classifyError, explainError, explainIdleClose, isAbortedByClient } from './failure.ts'

interface Blame {
  outcome: Outcome
  detail: string
}

interface Unanswered {
  connection: TargetConnection
  /** The connection had carried an answer before. */
  reused: boolean
  /** How long it had been idle, in microseconds. */
  idleUs: number
  sentUs: number
  endUs: number
}

/** A promise where the target must be asked first, on a connection of its own, whether it speaks TLS. */
export function blameUnanswered(thrown: Error, request: Unanswered): Blame | Promise<Blame> {
  const { connection, reused, idleUs, sentUs, endUs } = request
  const { peer } = connection
  const error = isAbortedByClient(thrown) ? thrown : connection.causeOf(thrown)
  const outcome = classifyError(error, false)
  const detail = explainError(error)
  if (outcome !== 'KT_RESET' && outcome !== 'KT_PROTOCOL') return { outcome, detail }
  if (!peer.answered && !peer.overTls) {
    if (connection.multiplexed && outcome === 'KT_PROTOCOL') peer.notHttp2 = true
    if (peer.notHttp2) return { outcome: 'KT_NO_HTTP2', detail: 'what came is no HTTP/2' }
    return peer.speaksTls().then((tls) => ({ outcome: tls ? 'KT_ONLY_TLS' : outcome, detail }))
  }
  if (!reused || connection.multiplexed || connection.answerBegun()) return { outcome, detail }
  const { connectStartUs, connectedUs } = connection
  const idleClose = explainIdleClose({
    idleUs,
    closedAfterUs: endUs - sentUs,
    openingUs: connectedUs - connectStartUs,
  })
  return idleClose === undefined ? { outcome, detail } : { outcome: 'KT_IDLE_CLOSE', detail: idleClose }
}
