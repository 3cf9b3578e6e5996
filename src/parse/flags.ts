/**
 * A flag in one place: its description for the help, and the zod type that turns its text into a value. oclif only
 * splits the command line; every value is read by src/parse/parse-flags.ts, so that all faults are reported at once.
 */
import * as Flags from '@oclif/core/flags'
import type { BooleanFlag, OptionFlag } from '@oclif/core/interfaces'
import { z } from 'zod'
import { OTHER_NAMES } from './flag-names.ts'
import { didYouMean } from './near.ts'

export interface FlagDefinition<T extends z.ZodType = z.ZodType, F = unknown> {
  type: T
  /** The flag as oclif knows it. */
  flag: F
  /** A good value, for whoever gave a bad one. */
  example?: string | undefined
}

export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>

/** The values of a set of flags, by the names of the flags. */
export type FlagValues<D extends FlagDefinitions> = { [K in keyof D]: z.output<D[K]['type']> }

interface TextHelp {
  /** A good value: the help shows it, and so does the message about a bad one. */
  example?: string
  /** What the help shows in place of a value where no example would help ('file.yaml'). */
  helpValue?: string
  /** Words that it takes beside others, for completion. */
  choices?: readonly string[]
  /** The value where none is given, as a user would write it. */
  default?: string
}

/** The words of a flag that takes one of a few stand in the help as its value, where they fit. */
const WIDEST_CHOICE = 20

/** Makers of flags that stand together in the help. */
export function flagGroup(helpGroup?: string) {
  const grouped = helpGroup === undefined ? {} : { helpGroup }

  function help(type: z.ZodType, description: string, { example, helpValue, ...more }: TextHelp) {
    const words = wordsOf(type)
    const options = words ?? more.choices
    const choice = words?.join('|')
    const shown = choice === undefined ? (helpValue ?? example) : choice.length > WIDEST_CHOICE ? undefined : choice
    return {
      ...grouped,
      description: more.default === undefined ? description : `${description} [default: ${more.default}]`,
      // What a value may be, for the JSON Schema of kt.yaml; oclif passes over it.
      valueType: type,
      ...(options && { options: [...options] }),
      ...(shown !== undefined && { helpValue: shown }),
    }
  }

  function text<T extends z.ZodType>(
    type: T,
    description: string,
    more: TextHelp = {},
  ): FlagDefinition<z.ZodType<z.output<T>>, OptionFlag<string | undefined>> {
    const standing = more.default === undefined ? type : z.preprocess((given) => given ?? more.default, type)
    return {
      type: standing as z.ZodType<z.output<T>>,
      flag: Flags.string(help(type, description, more)),
      example: more.example,
    }
  }

  /** A flag that may be given several times. */
  function texts<T extends z.ZodType>(
    type: T,
    description: string,
    more: Omit<TextHelp, 'default'> = {},
  ): FlagDefinition<T, OptionFlag<string[] | undefined>> {
    // One value each time: what stands after it may be an argument.
    const flag = Flags.string({ ...help(type, description, more), multiple: true, multipleNonGreedy: true })
    return { type, flag, example: more.example }
  }

  function toggle(description: string) {
    const flag: BooleanFlag<boolean> = Flags.boolean({ description, ...grouped })
    return { type: yesOrNoType.default(false), flag }
  }

  /** `--name` or `--no-name`; undefined where the user gave neither. */
  function yesOrNo(description: string) {
    const flag: BooleanFlag<boolean> = Flags.boolean({ description, ...grouped, allowNo: true })
    return { type: yesOrNoType.optional(), flag }
  }

  return { text, texts, toggle, yesOrNo }
}

/** A file and the environment may give another word. */
const yesOrNoType = z.boolean({ error: ({ input }) => `'${String(input)}' is neither true nor false` })

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(words: T) {
  return z.enum(words, {
    error: ({ input }) => {
      const near = didYouMean(String(input), words)
      return `'${String(input)}' is none of ${words.join(', ')}${near ? ` (did you mean '${near}'?)` : ''}`
    },
  })
}

/** The words that a type takes, where it takes nothing else. */
function wordsOf(type: z.ZodType): string[] | undefined {
  if (type instanceof z.ZodEnum) return type.options.map(String)
  if (type instanceof z.ZodArray) return wordsOf(type.element as z.ZodType)
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault) return wordsOf(type.unwrap() as z.ZodType)
  return undefined
}

/** True of a flag that may be given several times. */
export function isRepeatable(definition: FlagDefinition | undefined): boolean {
  const { flag } = definition ?? {}
  return typeof flag === 'object' && flag !== null && 'multiple' in flag && flag.multiple === true
}

/** A flag that is still read, and shown no more. */
export function former<T extends z.ZodType, F extends object>({
  flag,
  ...definition
}: FlagDefinition<T, F>): FlagDefinition<T, F> {
  return { ...definition, flag: { ...flag, hidden: true } }
}

/** The flags as a command of oclif declares them, with their other names. */
export function flagsOf<D extends FlagDefinitions>(definitions: D): { [K in keyof D]: D[K]['flag'] } {
  const flags = Object.entries(definitions).map(([name, { flag }]) => {
    const { char, aliases = [] } = OTHER_NAMES[name] ?? {}
    const free = aliases.filter((alias) => !(alias in definitions))
    return [name, { ...(flag as object), ...(char && { char }), ...(free.length > 0 && { aliases: free }) }]
  })
  return Object.fromEntries(flags) as { [K in keyof D]: D[K]['flag'] }
}
