/**
 * The relay between the hosts of a test (network.ts): takes connections for a port of a host, and passes on what they
 * carry, later by a delay of each way and by jitter, in order; nothing while one of both hosts is cut off.
 */
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * How long a piece of a stream takes from who connects to who listens, and back; jitter is the mean of what is added.
 */
export interface Way {
  thereMs: number
  backMs: number
  jitterMs: number
}

export type ToRelay =
  | { type: 'way'; from: string; to: string; address: string; target: string; port: number; way: Way }
  | { type: 'cut' | 'heal'; host: string }

const cutOff = new Set<string>()
let healed = Promise.withResolvers<void>()

process.on('message', async (message: ToRelay) => {
  if (message.type === 'way') {
    process.send?.(await listen(message))
    return
  }
  if (message.type === 'cut') cutOff.add(message.host)
  else cutOff.delete(message.host)
  healed.resolve()
  healed = Promise.withResolvers()
  process.send?.(0)
})

/** Returns the port. */
function listen({ from, to, address, target, port, way }: ToRelay & { type: 'way' }): Promise<number> {
  const isCut = (): boolean => cutOff.has(from) || cutOff.has(to)
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: target, port, allowHalfOpen: true, noDelay: true })
    pass(near, far, way.thereMs, way.jitterMs, isCut)
    pass(far, near, way.backMs, way.jitterMs, isCut)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  server.listen(0, address, () => {
    const bound = server.address()
    resolve(typeof bound === 'object' && bound ? bound.port : 0)
  })
  return promise
}

function pass(source: Socket, sink: Socket, delayMs: number, jitterMs: number, isCut: () => boolean): void {
  let last: Promise<unknown> = Promise.resolve()
  const later = (act: () => void): void => {
    const due = sleep(delayMs - jitterMs * Math.log(1 - Math.random()))
    last = Promise.all([last, due]).then(async () => {
      while (isCut()) await healed.promise
      act()
    })
  }
  source.on('data', (piece) => later(() => sink.write(piece)))
  source.on('end', () => later(() => sink.end()))
}
