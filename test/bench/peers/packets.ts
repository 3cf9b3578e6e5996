/**
 * What the kernel saw of requests and their answers: packets as `tcpdump -tt -A --time-stamp-precision=nano` prints
 * them, found again by the nonce that ends a request's prompt and stands in every event of its answer.
 */

export interface OnTheWire {
  /** Microseconds since 1970, of the packet that ends the request. */
  sentUs: number
  /** Of the first packet of the answer that holds a stamp, which is the one with its first token. */
  firstUs: number
}

const HEAD = /^(\d+)\.(\d{9}) IP6? \S+\.(\d+) > \S+\.(\d+): /
const ASKED = /\bkt([a-z]{16})"/
const STAMPED = /\bkt1\.([a-z]{16})\./g

/** By nonce; requests whose answer is not in it are left out. */
export function readPackets(text: string, port: number): Map<string, OnTheWire> {
  const seen = new Map<string, OnTheWire>()
  for (const packet of text.split(/\n(?=\d+\.\d{9} IP)/)) {
    const [, seconds, nanoseconds, from, to] = HEAD.exec(packet) ?? []
    const atUs = Number(seconds) * 1e6 + Number(nanoseconds) / 1_000
    if (Number(to) === port) {
      const nonce = ASKED.exec(packet)?.[1]
      if (nonce) seen.set(nonce, { sentUs: atUs, firstUs: Number.NaN })
    } else if (Number(from) === port) {
      for (const [, nonce = ''] of packet.matchAll(STAMPED)) {
        const request = seen.get(nonce)
        if (request && Number.isNaN(request.firstUs)) request.firstUs = atUs
      }
    }
  }
  for (const [nonce, { firstUs }] of seen) if (Number.isNaN(firstUs)) seen.delete(nonce)
  return seen
}
