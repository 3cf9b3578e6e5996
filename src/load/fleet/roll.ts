/** Which workers are there, and which of them a run gets. Whatever is wrong is said before anything is sent. */
import { EXIT, reasonOf, UserError } from '../../errors.ts'
import { now } from '../../system/clock.ts'
import { ktVersion } from '../../system/machine.ts'
import { counted } from '../../units.ts'
import { type ClockOffset, measureOffset } from './clock-offset.ts'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

const ANSWER_WITHIN_MS = 2_000
/** So many are asked at once: enough for thousands on a slow network, and few enough to be answered in time. */
const ASKED_AT_ONCE = 200
/** The first of them show what is wrong. */
const REFUSALS_SHOWN = 5
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

/**
 * Hires the first one alone, so that of two coordinators the second finds out at the first worker that they share, and
 * then many at once. The place of one that refuses goes to the next that is free; where too few are left, none of them
 * is asked any more, so that another run gets them.
 */
export async function hire(link: Link, found: readonly protocol.Card[], wanted: Wanted): Promise<protocol.Card[]> {
  const free = choose(found, wanted)
  const enough = wanted.size ?? free.length
  const places = Array.from({ length: enough }, (_, index) => index)
  const hired = new Map<number, protocol.Card>()
  const refused: string[] = []
  const hireWhile = async (isWanted: () => boolean): Promise<void> => {
    while (isWanted() && free.length >= places.length) {
      const [index, card] = [places.shift(), free.shift()]
      if (index === undefined || card === undefined) return
      const answer = await ask(link, card, index, wanted)
      if (answer === '') hired.set(index, card)
      else {
        places.push(index)
        refused.push(`${card.name}: ${answer}`)
      }
    }
  }
  await hireWhile(() => hired.size === 0)
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, () => hireWhile(() => places.length > 0)))
  if (hired.size === enough) return [...hired].sort(([a], [b]) => a - b).map(([, card]) => card)
  const release = protocol.write([{ seq: 1, order: { type: 'release' } }])
  link.nc.publish(protocol.SUBJECTS.orders(wanted.run), release)
  await link.nc.flush()
  const others = refused.length > REFUSALS_SHOWN ? `; and ${counted(refused.length - REFUSALS_SHOWN, 'other')}` : ''
  throw new UserError(
    `the fleet has ${counted(hired.size, 'worker')} for this run of ${enough}: ` +
      `${refused.slice(0, REFUSALS_SHOWN).join('; ')}${others}`,
    'Wait until the other run is over: kt fleet status shows which.',
    EXIT.inconclusive,
  )
}

/** Empty where the worker takes the work, else why not. */
function ask({ nc }: Link, { id }: protocol.Card, index: number, { run, graceMs }: Wanted): Promise<string> {
  const question = protocol.write({ run, index, version: ktVersion, graceMs })
  const options = { timeout: ANSWER_WITHIN_MS }
  return nc.request(protocol.SUBJECTS.hire(id), question, options).then((message) => message.string(), reasonOf)
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
    const are = free.length === 1 ? 'is' : 'are'
    throw new UserError(
      `${counted(free.length, 'fleet worker')} of the ${size ?? 'one'} asked for ${are} free${others}`,
      'Start more, ask for fewer with --fleet-size, or wait.',
      EXIT.inconclusive,
    )
  }
  return free
}
