// The least a client in Node can do, as the measure of kt: raw sockets, one write a request, the stamp read out of
// the answer's bytes; over HTTP/2, which nobody writes by hand, streams of node:http2. What lies between its write and
// its first read, less what the provider says it took, is the machine's and the provider's part.
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { now } from '../../../dist/src/system/clock.js'
import { requestMaker } from '../../../dist/src/workload/request-maker.js'
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

const socketSlot = (socket) => ({
  send(make, heard) {
    const sentUs = writeRequest(socket, make)
    socket.once('data', heard)
    return sentUs
  },
})

function streamSlot(session) {
  const headers = { ':method': 'POST', ':path': PATH, 'content-type': 'application/json' }
  return {
    send(make, heard) {
      const { body } = make('rawclien', made++)
      const sentUs = now()
      session.request(headers).once('data', heard).end(body)
      return sentUs
    },
  }
}

/** `many` slots, each for one request at a time, over http, https or h2 (with TLS); and how to close them. */
export async function openedSlots(port, many, over = 'http') {
  if (over === 'h2') {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    await once(session, 'connect')
    return { slots: Array.from({ length: many }, () => streamSlot(session)), close: () => session.destroy() }
  }
  const sockets = over === 'http' ? await opened(port, many) : await openedSecurely(port, many)
  return { slots: sockets.map(socketSlot), close: () => sockets.forEach((socket) => void socket.destroy()) }
}

async function openedSecurely(port, many) {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
  const sockets = Array.from({ length: many }, () => connectSecure(options).setNoDelay(true))
  await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')))
  return sockets
}

export const stampsIn = (bytes) => bytes.toString('latin1').matchAll(STAMP)

/**
 * Latency above the stamp of `requests` small answers: closed over `slots`, or one every `everyUs` on whichever is
 * free.
 */
export function rawExcess(slots, requests, sends, everyUs) {
  const make = requestMaker(sends)
  const excess = new Histogram()
  const startUs = now()
  const free = [...slots]
  let sent = 0
  let done = 0
  return new Promise((resolve) => {
    const send = () => {
      const slot = free.pop()
      if (!slot || sent === requests) return
      sent++
      const sentUs = slot.send(make, (bytes) => {
        const tookUs = now() - sentUs
        for (const [, us] of stampsIn(bytes)) excess.record(tookUs - Number(us))
        free.push(slot)
        if (++done === requests) resolve(excess)
        else if (everyUs === undefined) send()
      })
    }
    if (everyUs === undefined) for (const _ of slots) send()
    else {
      const tick = () => {
        while (sent < requests && now() - startUs >= sent * everyUs && free.length > 0) send()
        if (sent < requests) setTimeout(tick, 1)
      }
      tick()
    }
  })
}
