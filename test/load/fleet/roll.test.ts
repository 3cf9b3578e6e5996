// Hiring, on a real broker: many workers are asked at once, each place of the run is taken once, and where too few are
// left nobody else is asked. And what thousands say of their progress.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Msg } from '@nats-io/transport-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Link } from '../../../src/load/fleet/link.ts'
import * as protocol from '../../../src/load/fleet/protocol.ts'
import { hire } from '../../../src/load/fleet/roll.ts'
import { ktVersion } from '../../../src/system/machine.ts'
import { type Broker, linkTo, startBroker, whyNoBroker } from '../../support/broker.ts'

const WORKERS = 40
let broker: Broker
let link: Link
let [asked, waiting, mostWaiting] = [0, 0, 0]
const places: number[] = []
const cards = Array.from({ length: WORKERS }, (_, i): protocol.Card => {
  const id = `worker${String(i).padStart(2, '0')}`
  return { id, name: id, labels: {}, version: ktVersion, node: '24', cores: 2, load: 0, run: null }
})

beforeEach(async ({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
  broker = await startBroker()
  link = await linkTo(broker)
  ;[asked, waiting, mostWaiting] = [0, 0, 0]
  places.length = 0
})
afterEach(async () => {
  await link?.close()
  await broker?.close()
})

function answer(busy: ReadonlySet<number>): void {
  for (const [i, { id }] of cards.entries()) {
    link.nc.subscribe(protocol.SUBJECTS.hire(id), { callback: (_, message) => void respond(message, busy.has(i)) })
  }
}

async function respond(message: Msg, isBusy: boolean): Promise<void> {
  asked++
  mostWaiting = Math.max(mostWaiting, ++waiting)
  await sleep(20)
  waiting--
  const question = protocol.read(protocol.hireSchema, message.data, 'work')
  if (question.ok && !isBusy) places.push(question.value.index)
  message.respond(isBusy ? 'it works for another run' : '')
}

const wanted = { run: 'run', graceMs: 1_000, labels: {} }

test('many are asked at once, and the place of one that refuses goes to the next', async () => {
  answer(new Set([0, 7, 20]))
  const hired = await hire(link, cards, { ...wanted, size: 30 })
  expect(hired).toHaveLength(30)
  expect(places.toSorted((a, b) => a - b)).toEqual([...Array(30).keys()])
  const busy = ['worker00', 'worker07', 'worker20']
  expect(hired.map(({ id }) => id).filter((id) => busy.includes(id))).toEqual([])
  expect(new Set(hired).size).toBe(30)
  expect(mostWaiting).toBeGreaterThan(5)
})

test('where the first of all refuses, no other is asked: another coordinator gets them', async () => {
  answer(new Set([0]))
  await expect(hire(link, cards, wanted)).rejects.toThrow(
    `the fleet has 0 workers for this run of ${WORKERS}: worker00: it works for another run`,
  )
  expect(asked).toBe(1)
})

test('up to a thousand workers say all of their progress, and more of them less, at the same seconds', () => {
  const toldIn10s = (count: number, phaseUs: number): number[] =>
    [...Array(40).keys()].flatMap((tick) => {
      const atUs = tick * 250_000 + phaseUs
      return protocol.isProgressTold(count, atUs, atUs - 250_000) ? Math.floor(atUs / 1e6) : []
    })
  expect(toldIn10s(1_000, 0)).toHaveLength(40)
  expect(toldIn10s(1_001, 10_000)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(toldIn10s(10_000, 200_000)).toEqual([0, 3, 6, 9])
  expect(toldIn10s(10_000, 10_000)).toEqual([0, 3, 6, 9])
})
