// The least a client in Node can do, as the measure of kt: raw sockets, one write a request, the stamp read out of
// the answer's bytes. What lies between its write and its first read, less what the provider says it took, is the
// machine's and the provider's part.
import { once } from 'node:events'
import { connect } from 'node:net'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { now } from '../../../dist/src/system/clock.js'
import { requestMaker } from '../../../dist/src/workload/workload.js'
import { PATH } from './rig.js'

const STAMP = /"kt1\.[a-z]{16}\.\d+\.(\d+)"/g
let made = 0

export async function opened(port, many) {
  const sockets = Array.from({ length: many }, () => connect(port, '127.0.0.1').setNoDelay(true))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

/** Writes one request; returns when it was written. */
export function writeRequest(socket, make) {
  const { body } = make('rawclien', made++)
  const text =
    `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ` +
    `${body.length}\r\n\r\n${body}`
  const sentUs = now()
  socket.write(text)
  return sentUs
}

export const stampsIn = (bytes) => bytes.toString('latin1').matchAll(STAMP)

/**
 * Latency above the stamp of `requests` small answers: closed over `sockets`, or one every `everyUs` on whichever is
 * free.
 */
export function rawExcess(sockets, requests, sends, everyUs) {
  const make = requestMaker(sends)
  const excess = new Histogram()
  const startUs = now()
  const free = [...sockets]
  let sent = 0
  let done = 0
  return new Promise((resolve) => {
    const send = () => {
      const socket = free.pop()
      if (!socket || sent === requests) return
      sent++
      const sentUs = writeRequest(socket, make)
      socket.once('data', (bytes) => {
        const tookUs = now() - sentUs
        for (const [, us] of stampsIn(bytes)) excess.record(tookUs - Number(us))
        free.push(socket)
        if (++done === requests) resolve(excess)
        else if (everyUs === undefined) send()
      })
    }
    if (everyUs === undefined) for (const _ of sockets) send()
    else {
      const tick = () => {
        while (sent < requests && now() - startUs >= sent * everyUs && free.length > 0) send()
        if (sent < requests) setTimeout(tick, 1)
      }
      tick()
    }
  })
}
