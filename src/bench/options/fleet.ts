/** Which fleet sends the load, instead of this machine. The flags with their types, and what does not go with them. */
import { failure, type Result, success } from '../../errors.ts'
import { brokerAddress, natsFlags, workerLabels } from '../../load/fleet/flags.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { durationMs, parsedBy, positiveCount } from '../../parse/quantity.ts'

const GROUP = 'FLEET'
const { text } = flagGroup(GROUP)

/** So many workers, and their broker, on this machine. */
const MOST_LOCAL = 64

const fleet = parsedBy((given): Result<{ local: number } | { address: string }> => {
  const [, count] = /^local:(\d+)$/.exec(given) ?? []
  if (count === undefined) {
    const parsed = brokerAddress.safeParse(given)
    if (parsed.success) return success({ address: parsed.data })
    return failure(`${parsed.error.issues[0]?.message ?? given}, nor local:3`)
  }
  const local = Number(count)
  return local >= 1 && local <= MOST_LOCAL ? success({ local }) : failure(`'${given}': 1 to ${MOST_LOCAL} workers`)
})

export const fleetFlags = {
  fleet: text(
    fleet.optional(),
    'send from the fleet workers of this NATS broker (kt fleet worker); local:3 starts a broker and three workers here',
    { example: 'nats://10.0.0.1:4222' },
  ),
  'fleet-size': text(positiveCount.optional(), 'so many workers [default: all that are free]'),
  'fleet-labels': text(workerLabels.optional(), "only workers with these labels, such as 'zone=a'", {
    helpValue: 'zone=a',
  }),
  'fleet-grace': text(durationMs.optional(), 'for how long the broker may be gone before the run ends [default: 10s]'),
  ...natsFlags(GROUP),
}

export type FleetOptions = FlagValues<typeof fleetFlags>

const rule = rulesOf<FleetOptions & { url: unknown; threads: unknown }>()

const RULES = [
  ...(['fleet-size', 'fleet-labels', 'fleet-grace'] as const).map((name) =>
    rule(
      [name, 'fleet'],
      (given) =>
        given[name] !== undefined &&
        given.fleet === undefined &&
        failure(`--${name} goes with --fleet`, 'Say where the fleet is: --fleet nats://HOST:4222.'),
    ),
  ),
  rule(
    ['fleet', 'url'],
    (given) =>
      given.fleet !== undefined &&
      'address' in given.fleet &&
      given.url === undefined &&
      failure(
        '--fleet needs --url: workers on other machines cannot reach an embedded pair on this one',
        'Give the address that they all reach, or try a fleet on this machine: --fleet local:3.',
      ),
  ),
  rule(
    ['fleet', 'threads'],
    (given) =>
      given.fleet !== undefined &&
      given.threads !== undefined &&
      failure('--threads are those of this machine', 'A fleet worker has one: start a worker for each core instead.'),
  ),
]

/** Undefined where this machine sends. */
export function readFleet(given: Given, faults: Faults): (FleetOptions & { fleet: object }) | undefined {
  const values = faults.read(fleetFlags, given)
  const { url, threads } = given.values
  faults.check({ ...values, url, threads }, RULES)
  const { fleet } = values
  return fleet === undefined ? undefined : { ...values, fleet }
}

export type FleetAsk = NonNullable<ReturnType<typeof readFleet>>
