/**
 * A flag in one place: its description for the help, and the zod type that turns its text into a value. oclif only
 * splits the command line; every value is read by src/parse/parse-flags.ts, so that all faults are reported at once.
 */
import { Flags } from '@oclif/core'
import type { BooleanFlag, OptionFlag } from '@oclif/core/interfaces'
import { z } from 'zod'

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
  default?: string
  /** A variable of the environment that may hold the value. */
  env?: string
}

interface SwitchHelp {
  aliases?: string[]
}

/** Makers of flags that stand together in the help. */
export function flagGroup(helpGroup?: string) {
  const grouped = helpGroup === undefined ? {} : { helpGroup }
  const help = <T extends Omit<TextHelp, 'default'>>(description: string, more: T) => {
    const { example, helpValue = example, ...rest } = more
    return { description, ...grouped, ...(helpValue === undefined ? {} : { helpValue }), ...rest }
  }

  function text<T extends z.ZodType>(
    type: T,
    description: string,
    more: TextHelp = {},
  ): FlagDefinition<T, OptionFlag<string | undefined>> {
    return { type, flag: Flags.string(help(description, more)), example: more.example }
  }

  /** A flag that may be given several times. */
  function texts<T extends z.ZodType>(
    type: T,
    description: string,
    { multipleNonGreedy = false, ...more }: Omit<TextHelp, 'default' | 'env'> & { multipleNonGreedy?: boolean } = {},
  ): FlagDefinition<T, OptionFlag<string[] | undefined>> {
    const flag = Flags.string({ ...help(description, more), multiple: true, multipleNonGreedy })
    return { type, flag, example: more.example }
  }

  function toggle(description: string, more: SwitchHelp = {}) {
    const flag: BooleanFlag<boolean> = Flags.boolean({ description, ...grouped, ...more })
    return { type: z.boolean().default(false), flag }
  }

  /** `--name` or `--no-name`; undefined where the user gave neither. */
  function yesOrNo(description: string, more: SwitchHelp = {}) {
    const flag: BooleanFlag<boolean> = Flags.boolean({ description, ...grouped, ...more, allowNo: true })
    return { type: z.boolean().optional(), flag }
  }

  return { text, texts, toggle, yesOrNo }
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: ({ input }) => `'${String(input)}' is none of ${words.join(', ')}` })
}

/** The flags as a command of oclif declares them. */
export function flagsOf<D extends FlagDefinitions>(definitions: D): { [K in keyof D]: D[K]['flag'] } {
  const flags = Object.entries(definitions).map(([name, { flag }]) => [name, flag])
  return Object.fromEntries(flags) as { [K in keyof D]: D[K]['flag'] }
}
