/**
 * The fleet of a bench: hires the workers of a broker, or starts a broker and workers on this machine (`local:3`).
 * Loaded only with --fleet.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { Fleet } from '../load/fleet/coordinator.ts'
import { accessFrom, connectTo, loadClient } from '../load/fleet/link.ts'
import { drawId } from '../load/fleet/worker.ts'
import { startChild } from './embedded.ts'
import type { FleetAsk } from './options/fleet.ts'

const GRACE_MS = 10_000
const PROGRAM = 'nats-server'

interface OpenFleet {
  fleet: Fleet
  close(): Promise<void>
}

export async function openFleet(asked: FleetAsk, note: (line: string) => void): Promise<OpenFleet> {
  const { fleet: where, 'fleet-size': size, 'fleet-labels': labels = {}, 'fleet-grace': graceMs = GRACE_MS } = asked
  const closing: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one()
  }
  try {
    // Else the workers would say it, each by itself.
    await loadClient('--fleet')
    const address = 'local' in where ? await startLocal(where.local, closing, note) : where.address
    const link = await connectTo(address, accessFrom(asked, process.env), '--fleet')
    closing.push(() => link.close())
    const fleet = await Fleet.open(link, { run: drawId(), graceMs, labels, size, note })
    closing.push(() => fleet.close())
    return { fleet, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A broker and workers as children of this process: they end with it however that ends. */
async function startLocal(
  count: number,
  closing: (() => Promise<unknown>)[],
  note: (line: string) => void,
): Promise<string> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const entry = new URL(`fleet-broker.${extension}`, import.meta.url)
  const program = findBroker()
  const broker = fork(entry, [program], { detached: true })
  const gone = once(broker, 'exit')
  closing.push(async () => {
    if (broker.connected) broker.disconnect()
    await gone
  })
  const [said] = await once(broker, 'message')
  const { url } = z.object({ url: z.string().nullable() }).parse(said)
  if (url === null) throw new UserError(`${program} did not start`, `Run ${program} --jetstream to see why.`)
  const workers = await Promise.allSettled(
    Array.from({ length: count }, (_, i) =>
      startChild(['fleet', 'worker', '--nats', url, '--name', `local-${i + 1}`, '--json'], note),
    ),
  )
  closing.push(() => Promise.all(workers.map((one) => one.status === 'fulfilled' && one.value.close())))
  for (const one of workers) if (one.status === 'rejected') throw one.reason
  return url
}

/** The program that KT_NATS_SERVER names, or the one on the path. */
function findBroker(): string {
  const { KT_NATS_SERVER, PATH = '' } = process.env
  const places = KT_NATS_SERVER ? [KT_NATS_SERVER] : PATH.split(delimiter).map((folder) => join(folder, PROGRAM))
  const found = places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return statSync(place).isFile()
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  throw new UserError(
    KT_NATS_SERVER ? `KT_NATS_SERVER: there is no program ${KT_NATS_SERVER}` : `there is no ${PROGRAM} on this machine`,
    'Install it (apt install nats-server, brew install nats-server), or name it in KT_NATS_SERVER.',
  )
}
