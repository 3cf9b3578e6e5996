/**
 * Several gateways in one run: each has a name and an address, and may have headers and a key of its own. The flags
 * with their types, what contradicts what, and what the names come to.
 */
import { z } from 'zod'
import { type Addressed, address, resolveTarget, type Target } from '../../client/target.ts'
import { type Failure, failure } from '../../errors.ts'
import { headerLine, headerSafe, namedValue } from '../../parse/config-values.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { didYouMean } from '../../parse/near.ts'
import { type Faults, rulesOf } from '../../parse/parse-flags.ts'
import { keyIn } from '../../system/environment.ts'

const { texts } = flagGroup('TARGET')

/** What --arm-header and --arm-api-key call the arm of --baseline-url. */
export const BASELINE = 'baseline'

/** What reports call an arm that has no name of its own. */
const TAKEN = [BASELINE, 'direct', 'target']

const NAME = namedValue.refine(
  ({ name }) => !TAKEN.includes(name.toLowerCase()),
  `the names ${TAKEN.join(', ')} are those of arms that kt names itself`,
)

/** The value after the name, read by `type`. */
function named<T extends z.ZodType>(given: typeof namedValue, type: T) {
  return given.transform(({ name, value }, context): { name: string; value: z.output<T> } => {
    const parsed = type.safeParse(value)
    if (parsed.success) return { name, value: parsed.data }
    context.addIssue({ code: 'custom', message: `${name}: ${parsed.error.issues[0]?.message ?? 'not a value'}` })
    return z.NEVER
  })
}

const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'not the name of a variable of the environment')

export const armFlags = {
  arm: texts(
    z.array(named(NAME, address)).default([]),
    'a gateway with its name, measured in turns with the others and --baseline-url; repeatable',
    { example: 'envoy=http://127.0.0.1:8080' },
  ),
  'arm-header': texts(
    z.array(named(namedValue, headerLine)).default([]),
    `extra header of one --arm, or of '${BASELINE}'; repeatable`,
    { helpValue: "'NAME=Header: value'" },
  ),
  'arm-api-key': texts(
    z.array(named(namedValue, variable)).default([]),
    `API key of one --arm, or of '${BASELINE}': the variable of the environment that holds it; repeatable`,
    { example: 'envoy=ENVOY_KEY' },
  ),
}

export type ArmFlagValues = FlagValues<typeof armFlags>

/** What an arm is sent beside what all are. */
export interface ArmSecrets {
  headers: readonly (readonly [string, string])[]
  apiKey: string | undefined
}

export interface ArmTarget extends ArmSecrets {
  name: string
  at: Target
}

type Values = ArmFlagValues & {
  url: URL | undefined
  'baseline-url': URL | undefined
  aa: boolean
  'inject-delay': unknown
  'token-gap': unknown
}

const rule = rulesOf<Values>()

/** What --arm does not go with, and why. */
const OTHERS: readonly [name: 'url' | 'aa' | 'inject-delay' | 'token-gap', next: string][] = [
  ['url', 'Name that gateway too: --arm NAME=URL, instead of --url.'],
  ['aa', 'Give --url and --aa, which measure one gateway against itself.'],
  ['inject-delay', 'It goes with the embedded pair: leave --arm out.'],
  ['token-gap', 'It goes with the embedded pair: leave --arm out.'],
]

export const ARM_RULES = [
  ...OTHERS.map(([name, next]) =>
    rule(['arm', name], (given) => {
      const both = given.arm.length > 0 && given[name] !== undefined && given[name] !== false
      return both && failure(`--${name} does not go with --arm`, next)
    }),
  ),
  rule(['arm'], ({ arm }) => {
    const names = arm.map(({ name }) => name.toLowerCase())
    const twice = arm.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index)
    return twice && failure(`two arms are called ${twice.name}`, 'Give each --arm a name of its own.')
  }),
  ...(['arm-header', 'arm-api-key'] as const).map((flag) =>
    rule(
      ['arm', 'baseline-url', flag],
      ({ arm, 'baseline-url': baseline, [flag]: given = [] }): Failure | undefined => {
        const known = [...arm.map(({ name }) => name), ...(baseline === undefined ? [] : [BASELINE])]
        const unknown = given.find(({ name }) => !known.includes(name))
        if (!unknown) return undefined
        const near = didYouMean(unknown.name, known)
        const why = `--${flag} ${unknown.name}=…: no arm of this run is called ${unknown.name}`
        return failure(why, near === undefined ? 'Give it one: --arm NAME=URL.' : `Did you mean ${near}?`)
      },
    ),
  ),
]

/** Where the arms are, and what each is sent; two that are one address are refused. */
export function locateArms(
  values: ArmFlagValues,
  baseline: Target | undefined,
  asked: Addressed,
  faults: Faults,
): ArmTarget[] {
  const arms = values.arm.flatMap(({ name, value }): ArmTarget[] => {
    const at = faults.attempt(() => resolveTarget(value, asked, `--arm ${name}`))
    return at ? [{ name, at, ...secretsOfArm(values, name, faults) }] : []
  })
  const all = [...arms, ...(baseline ? [{ name: BASELINE, at: baseline }] : [])]
  for (const [index, { name, at }] of all.entries()) {
    const same = all.slice(0, index).find((other) => addressOf(other.at) === addressOf(at))
    if (same) faults.add(sameAddress(same.name, name, at))
  }
  return arms
}

/** This machine has several names for itself. */
function addressOf({ origin, path }: Target): string {
  return origin.replace(/^(https?:\/\/)(?:127\.0\.0\.1|\[::1\])(?=:|$)/, '$1localhost') + path
}

function sameAddress(a: string, b: string, { shownUrl }: Target): Failure {
  const what = b === BASELINE ? `the arm ${a} is the baseline itself` : `the arms ${a} and ${b} are one address`
  return failure(`${what}: ${shownUrl}`, 'Leave one of them out; --url with --aa measures a gateway against itself.')
}

/** What one arm is sent beside what all are; the environment must have the variable of a key. */
export function secretsOfArm(values: ArmFlagValues, arm: string, faults: Faults): ArmSecrets {
  const headers = values['arm-header'].flatMap(({ name, value }) => (name === arm ? [value] : []))
  const variable = values['arm-api-key'].findLast(({ name }) => name === arm)?.value
  if (variable === undefined) return { headers, apiKey: undefined }
  const given = keyIn(process.env, variable)
  const parsed = headerSafe.safeParse(given)
  if (!parsed.success) {
    const what = given === undefined ? 'is not set' : `does not hold a key: ${parsed.error.issues[0]?.message ?? ''}`
    faults.add(failure(`--arm-api-key ${arm}=${variable}: the variable ${variable} ${what}`, `Set ${variable}.`))
  }
  return { headers, apiKey: parsed.data }
}
