/** Which workers are there, and which of them a run gets. Whatever is wrong is said before anything is sent. */
import { EXIT, reasonOf, UserError } from '../../errors.ts'
import { now } from '../../system/clock.ts'
import { ktVersion } from '../../system/machine.ts'
import { counted } from '../../units.ts'
import { type ClockOffset, measureOffset } from './clock-offset.ts'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

const ANSWER_WITHIN_MS = 2_000
/** Nobody else answers after this silence. */
const STALL_MS = 400

export interface Wanted {
  run: string
  graceMs: number
  /** All that are free where it is not given. */
  size?: number | undefined
  /** A worker must have all of them. */
  labels: Readonly<Record<string, string>>
}

/** The workers that answer, by name. */
export async function findWorkers({ nc }: Link): Promise<protocol.Card[]> {
  const cards: protocol.Card[] = []
  try {
    const options = { strategy: 'stall' as const, maxWait: ANSWER_WITHIN_MS, stall: STALL_MS }
    for await (const { data } of await nc.requestMany(protocol.SUBJECTS.who, '', options)) {
      const card = protocol.read(protocol.cardSchema, data, 'a worker')
      if (card.ok) cards.push(card.value)
    }
  } catch (error) {
    // Nobody listens.
    if (!reasonOf(error).startsWith('no responders')) throw error
  }
  return cards.sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
}

/** The clock of a worker that waits for work. */
export async function clockOf({ nc }: Link, { id }: protocol.Card): Promise<ClockOffset | undefined> {
  const measured = await measureOffset(
    async () => {
      const answer = await nc.request(protocol.SUBJECTS.clockOf(id), '', { timeout: STALL_MS }).catch(() => undefined)
      const times = answer && protocol.read(protocol.timesSchema, answer.data, 'a clock')
      return times?.ok ? times.value : undefined
    },
    now,
    { rounds: 16 },
  )
  return measured.ok ? measured.value : undefined
}

/** Hires one after another, so that of two coordinators the second finds out at the first worker that they share. */
export async function hire(link: Link, found: readonly protocol.Card[], wanted: Wanted): Promise<protocol.Card[]> {
  const { run, graceMs, size } = wanted
  const chosen = choose(found, wanted)
  const hired: protocol.Card[] = []
  const refused: string[] = []
  for (const card of chosen) {
    if (hired.length === size) break
    const question = protocol.write({ run, index: hired.length, version: ktVersion, graceMs })
    const answer = await link.nc
      .request(protocol.SUBJECTS.hire(card.id), question, { timeout: ANSWER_WITHIN_MS })
      .then((message) => message.string(), reasonOf)
    if (answer === '') hired.push(card)
    else refused.push(`${card.name}: ${answer}`)
  }
  const enough = size ?? chosen.length
  if (hired.length === enough) return hired
  const release = protocol.write([{ seq: 1, order: { type: 'release' } }])
  link.nc.publish(protocol.SUBJECTS.orders(run), release)
  await link.nc.flush()
  throw new UserError(
    `the fleet has ${counted(hired.length, 'worker')} for this run of ${enough}: ${refused.join('; ')}`,
    'Wait until the other run is over: kt fleet status shows which.',
    EXIT.inconclusive,
  )
}

/** Those that may be hired, or one sentence on why there are not enough of them. */
function choose(found: readonly protocol.Card[], { size, labels }: Wanted): protocol.Card[] {
  if (found.length === 0) {
    throw new UserError(
      'no fleet worker answers on this broker',
      'Start some with the same --nats: kt fleet worker --nats nats://HOST:4222',
    )
  }
  const asked = Object.entries(labels)
  const matching = found.filter((card) => asked.every(([key, value]) => card.labels[key] === value))
  if (matching.length === 0) {
    const words = asked.map(([key, value]) => `${key}=${value}`).join(', ')
    throw new UserError(
      `none of ${counted(found.length, 'fleet worker')} has the labels ${words}`,
      'kt fleet status shows the labels of each.',
    )
  }
  const apart = matching.find(({ version }) => version !== ktVersion)
  if (apart) {
    throw new UserError(
      `fleet worker ${apart.name} runs kt ${apart.version}, and this is kt ${ktVersion}`,
      'Versions apart measure apart: install the same one everywhere.',
    )
  }
  const free = matching.filter(({ run }) => run === null)
  const [busy] = matching.filter(({ run }) => run !== null)
  const others = busy ? `; ${counted(matching.length - free.length, 'other')} work, such as for run ${busy.run}` : ''
  if (free.length < Math.max(1, size ?? 1)) {
    throw new UserError(
      `${counted(free.length, 'fleet worker')} of the ${size ?? 'one'} asked for ${free.length === 1 ? 'is' : 'are'} free${others}`,
      'Start more, ask for fewer with --fleet-size, or wait.',
      EXIT.inconclusive,
    )
  }
  return free
}
