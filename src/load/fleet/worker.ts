/**
 * A fleet worker: says who it is to whoever asks, and works for one run at a time (engagement.ts). It waits for work
 * until it is asked to stop, and then hands over what it has measured.
 */
import { availableParallelism, loadavg } from 'node:os'
import { now } from '../../system/clock.ts'
import { ktVersion } from '../../system/machine.ts'
import { Engagement, type StartUpstream } from './engagement.ts'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

export interface WorkerName {
  name: string
  labels: Record<string, string>
  version?: string | undefined
}

export interface FleetWorker {
  /** Hands over what is measured so far, if anything is, and resolves when the worker has let go of the broker. */
  stop(): Promise<void>
}

/** A name that no other worker has drawn. */
export function drawId(): string {
  return crypto.randomUUID().replaceAll('-', '').slice(0, 16)
}

export function startFleetWorker(
  link: Link,
  { name, labels, version = ktVersion }: WorkerName,
  startUpstream: StartUpstream,
  note: (line: string) => void,
): FleetWorker {
  const id = drawId()
  let engagement: Engagement | undefined
  const card = (): protocol.Card => ({
    ...{ id, name, labels, version },
    node: process.versions.node,
    cores: availableParallelism(),
    load: loadavg()[0] ?? 0,
    run: engagement?.run ?? null,
  })
  /** An empty answer takes the work; any other says why not. */
  const hire = (bytes: Uint8Array): string => {
    const asked = protocol.read(protocol.hireSchema, bytes, 'the question for work')
    if (!asked.ok) return asked.why
    if (asked.value.version !== version) return `it runs kt ${version}`
    if (engagement) return `it works for run ${engagement.run}`
    engagement = new Engagement(link, asked.value, startUpstream)
    note(`works for run ${asked.value.run}`)
    void engagement.over.then((why) => {
      engagement = undefined
      note(`run ${asked.value.run} is over${why === undefined ? '' : `: ${why}`}`)
    })
    return ''
  }
  link.nc.subscribe(protocol.SUBJECTS.who, {
    callback: (error, message) => {
      if (!error) message.respond(protocol.write(card()))
    },
  })
  link.nc.subscribe(protocol.SUBJECTS.hire(id), {
    callback: (error, message) => {
      if (!error) message.respond(hire(message.data))
    },
  })
  // What an idle worker answers to, so that its clock can be told before it works.
  link.nc.subscribe(protocol.SUBJECTS.clockOf(id), {
    callback: (error, message) => {
      const receivedUs = now()
      if (!error) message.respond(protocol.write({ receivedUs, sentUs: now() }))
    },
  })
  return {
    async stop() {
      engagement?.leave('the worker was asked to stop')
      await engagement?.over
      await link.nc.flush().catch(() => {})
      await link.close()
    },
  }
}
