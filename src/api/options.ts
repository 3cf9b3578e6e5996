/**
 * The options of the library: those of the command line, with camelCase names (`maxTokens: 200` for `--max-tokens
 * 200`). They are read by the types of the flags, so that a value means the same in both, and are refused alike.
 */
import type { BooleanFlag, OptionFlag } from '@oclif/core/interfaces'
import { UserError } from '../errors.ts'
import { type FlagDefinitions, isRepeatable } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : Name

/** Text or a number as on the command line ('7ms', '80M', 200), a list where a flag may be repeated, or a switch. */
type OptionValue<Flag> =
  Flag extends BooleanFlag<boolean>
    ? boolean
    : Flag extends OptionFlag<string[] | undefined>
      ? string | readonly string[]
      : string | number

/** The flags `D` as options of a function. */
export type OptionsOf<D extends FlagDefinitions> = {
  [Name in keyof D & string as CamelCase<Name>]?: OptionValue<D[Name]['flag']> | undefined
}

/** The flags that options stand for. `of` names the function in messages. */
export function toFlags(options: object, definitions: FlagDefinitions, of: string): Record<string, unknown> {
  const names = new Map(Object.keys(definitions).map((name) => [camelCase(name), name]))
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const name = names.get(key)
      if (name === undefined) throw unknownOption(key, [...names.keys()], of)
      return [name, isRepeatable(definitions[name]) && !Array.isArray(value) ? [value] : value]
    }),
  )
}

/** The command line that gives the same, for the report. */
export function wordsOf(values: Readonly<Record<string, unknown>>, definitions: FlagDefinitions): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (value === false) return takesNo(definitions[name]?.flag) ? [`--no-${name}`] : []
    if (value === true) return [`--${name}`]
    // A list of levels is one word: '1,2,4'.
    const words = Array.isArray(value) && isRepeatable(definitions[name]) ? value : [value]
    return words.flatMap((one) => [`--${name}`, String(one)])
  })
}

/** Whether the flag can be turned off: others are off where they are not given. */
function takesNo(flag: unknown): boolean {
  return typeof flag === 'object' && flag !== null && 'allowNo' in flag && flag.allowNo === true
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function unknownOption(key: string, known: readonly string[], of: string): UserError {
  const near = didYouMean(camelCase(key.replace(/^-+/, '')), known)
  return new UserError(
    `${of}: there is no option '${key}'`,
    near ? `Did you mean '${near}'?` : `Options there are: ${known.join(', ')}.`,
  )
}
