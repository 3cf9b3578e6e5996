/**
 * kt's own deadlines, checked every few milliseconds: undici's are half a second coarse and know nothing of tokens. A
 * pure function: given the times of a request so far, which deadline did it miss?
 */
import { AbortedByClient } from './failure.ts'

export interface Deadlines {
  /** From the moment the request was dispatched until its answer is complete. */
  totalUs: number
  /** From dispatch until its connection is open. */
  connectUs?: number | undefined
  /** From `sent` to the first token. */
  firstTokenUs?: number | undefined
  /** Between two token-bearing events, and after the last one until the end. */
  idleUs?: number | undefined
}

/** The times of a request so far; NaN is "not yet". */
interface RequestTimes {
  dispatchedUs: number
  sentUs: number
  firstTokenUs: number
  lastTokenUs: number
  connection: { connectedUs: number }
}

/** The error to abort the request with; undefined while it is in time. */
export function findMissedDeadline(at: RequestTimes, nowUs: number, limits: Deadlines): AbortedByClient | undefined {
  const { totalUs, connectUs = totalUs, firstTokenUs, idleUs } = limits
  const waitedUs = nowUs - at.dispatchedUs
  if (Number.isNaN(at.sentUs) && Number.isNaN(at.connection.connectedUs)) {
    const limitUs = Math.min(connectUs, totalUs)
    return waitedUs >= limitUs
      ? new AbortedByClient('KT_TIMEOUT_CONNECT', 'no connection before the timeout')
      : undefined
  }
  if (waitedUs >= totalUs) return new AbortedByClient('KT_TIMEOUT_TOTAL', 'no complete answer before the timeout')
  if (Number.isNaN(at.firstTokenUs)) {
    return firstTokenUs !== undefined && nowUs - at.sentUs >= firstTokenUs
      ? new AbortedByClient('KT_TIMEOUT_FIRST_TOKEN', 'no token before --ttft-timeout')
      : undefined
  }
  return idleUs !== undefined && nowUs - at.lastTokenUs >= idleUs
    ? new AbortedByClient('KT_TIMEOUT_IDLE', 'no further token within --idle-timeout')
    : undefined
}
