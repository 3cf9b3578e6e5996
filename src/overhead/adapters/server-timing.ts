/**
 * Any other gateway that sends `Server-Timing` (W3C, milliseconds): an entry named for the gateway's own time, or for
 * its wait. nginx setups often emit seconds, so a wait that is almost nothing of the client's time, and fits it a
 * thousand times as long, is rejected. Entries of kt's provider and of unknown names say nothing of a gateway.
 */
import { parseServerTiming } from '../../wire/server-timing.ts'
import { type Adapter, BETWEEN_MS, type Coarseness, FINE, type Statement } from './adapter.ts'

const OWN = ['gateway', 'gw', 'proxy', 'overhead', 'gateway-overhead', 'proxy-overhead']
const WAIT = ['upstream', 'origin', 'backend', 'provider', 'llm', 'upstream-response-time']
const WHOLE = ['total', 'request', 'app', 'request-time']
const OWN_NOTE = "the gateway's own figure, written with the headers: what came after them is not in it"
const WAIT_NOTE =
  "the client's time less the wait that the gateway reports; the network to the gateway and kt are in it"

export const genericServerTiming: Adapter = {
  names: ['server-timing'],
  read(headers, _trailers, tookUs) {
    const header = headers['server-timing']
    if (header === undefined) return undefined
    const timings = parseServerTiming(header)
    const own = OWN.find((name) => timings.has(name))
    const wait = WAIT.find((name) => timings.has(name))
    if (own === undefined && wait === undefined) return undefined
    const statement: Statement = { gateway: '' }
    const ownUs = own === undefined ? undefined : timings.get(own)
    const waitUs = wait === undefined ? undefined : timings.get(wait)
    if (ownUs !== undefined) {
      statement.overhead = { us: ownUs, source: `server-timing: ${own}`, note: OWN_NOTE, ...coarseness(ownUs) }
    }
    if (waitUs !== undefined) {
      statement.upstream = { us: waitUs, source: `server-timing: ${wait}`, note: WAIT_NOTE, ...coarseness(waitUs) }
    }
    const total = WHOLE.find((name) => timings.has(name))
    const checkedUs = waitUs ?? (total === undefined ? undefined : timings.get(total))
    if (checkedUs !== undefined && looksLikeSeconds(checkedUs, tookUs)) {
      statement.unusable = 'Server-Timing looks like seconds, not milliseconds'
    }
    return statement
  },
}

/** Of a figure whose unit nobody states. That of a run is the finest of its figures. */
function coarseness(us: number): Coarseness {
  return us % 1_000 === 0 ? BETWEEN_MS : FINE
}

/**
 * True when a thousand times the wait is half to all of the client's time: read as milliseconds it would be almost
 * nothing.
 */
function looksLikeSeconds(us: number, tookUs: number): boolean {
  return us > 0 && us * 1_000 <= tookUs * 1.001 && us * 1_000 >= tookUs / 2
}
