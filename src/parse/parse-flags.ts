/**
 * From the flags that a user gave to their values. Every value is read by the type of its flag, then the rules between
 * flags are checked; whatever is wrong is collected, and refused as one UserError.
 */
import { type Failure, failure, UserError } from '../errors.ts'
import { variableBehind } from './environment.ts'
import { messageOf } from './explain.ts'
import type { FlagDefinitions, FlagValues } from './flags.ts'

/** The file that some of what was given came from, and its keys as messages name them, by the names of the flags. */
export interface GivenFile {
  path: string
  keys: ReadonlyMap<string, string>
}

/** What a user gave, by the names of the flags; and the file that some of it came from. */
export interface Given {
  values: Readonly<Record<string, unknown>>
  file?: GivenFile | undefined
}

/** Flags carry the file that gave some of them under a symbol, so that their copies have it too. */
const FILE = Symbol('file')

export function fromFile<T extends object>(flags: T, file: GivenFile): T {
  return { ...flags, [FILE]: file }
}

/** The flags of a command, as it parsed them. */
export function givenOf(flags: Readonly<Record<string, unknown> & { [FILE]?: GivenFile }>): Given {
  return { values: flags, file: flags[FILE] }
}

/**
 * What must hold between flags. A rule sees only the flags that it names, and is not asked while one of them has a
 * faulty value: what is wrong with it is reported already.
 */
export interface Rule<V> {
  of: readonly (keyof V & string)[]
  check(values: V): Failure | false | undefined
}

/** A maker of rules between the flags of `V`. */
export function rulesOf<V>() {
  return <K extends keyof V & string>(
    of: readonly K[],
    check: (values: Pick<V, K>) => Failure | false | undefined,
  ): Rule<V> => ({ of, check })
}

/** Everything wrong with one input, collected from wherever it is found. */
export class Faults {
  readonly #list: Failure[] = []
  /** Flags whose values are faulty and missing. */
  readonly #faulty = new Set<string>()

  add(...faults: readonly Failure[]): void {
    this.#list.push(...faults)
  }

  /** The values of the flags in `definitions`; a faulty one is missing, and no rule about it is asked. */
  read<D extends FlagDefinitions>(definitions: D, { values, file }: Given): FlagValues<D> {
    const read = Object.entries(definitions).flatMap(([name, { type, example }]) => {
      const parsed = type.safeParse(values[name])
      if (parsed.success) return [[name, parsed.data]]
      this.#faulty.add(name)
      const key = file?.keys.get(name)
      for (const issue of parsed.error.issues) {
        const variable = variableBehind(name, values[name])
        const place = key === undefined ? (variable ?? `--${name}`) : `${file?.path}: ${key}`
        const next = example === undefined || key !== undefined ? undefined : `Write for example --${name} ${example}.`
        this.add(failure(`${place}: ${messageOf(issue)}`, nextOf(issue) ?? next))
      }
      return []
    })
    // Whoever gets these values passes `refuse` first, or rules, which skip what is missing.
    return Object.fromEntries(read) as FlagValues<D>
  }

  check<V extends object>(values: V, rules: readonly Rule<V>[]): void {
    for (const { of, check } of rules) {
      if (!this.sound(...of)) continue
      // By its type the rule reads no other flag.
      const seen = Object.fromEntries(of.map((name) => [name, values[name]]))
      const broken = check(seen as V)
      if (broken) this.add(broken)
    }
  }

  /** True when the values of all these flags could be read. */
  sound(...names: readonly string[]): boolean {
    return !names.some((name) => this.#faulty.has(name))
  }

  /** Does what may throw a UserError; the error is kept with the other faults. */
  attempt<T>(make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      this.add(failure(error.message, error.next))
      return undefined
    }
  }

  /** Throws one UserError about all faults, if there is any. `command` is the one whose help is named. */
  refuse(command: string): void {
    const help = `See '${command} --help'.`
    const [first] = this.#list
    if (!first) return
    const faults = this.#list.filter(({ why }, index) => this.#list.findIndex((other) => other.why === why) === index)
    if (faults.every(({ next }) => next === first.next)) {
      throw new UserError(faults.map(({ why }) => why).join('\n    '), first.next ?? help)
    }
    const lines = faults.map(({ why, next }, index) => {
      // What several faults in a row advise alike is said once, below them.
      const shown = next === undefined || next === faults[index + 1]?.next ? [] : [indent(next, 6)]
      return [why, ...shown].join('\n')
    })
    throw new UserError(lines.join('\n    '), help)
  }
}

/** The values of a command's flags, or one UserError about all that is wrong with them. */
export function parseFlags<D extends FlagDefinitions>(
  flags: Readonly<Record<string, unknown>>,
  definitions: D,
  command: string,
  rules: readonly Rule<FlagValues<D>>[] = [],
): FlagValues<D> {
  const faults = new Faults()
  const values = faults.read(definitions, givenOf(flags))
  faults.check(values, rules)
  faults.refuse(command)
  return values
}

/** A key of a config file: the flag's name in snake_case. */
export function keyOf(name: string): string {
  return name.replaceAll('-', '_')
}

/** What a type advises after it refused a value: `context.addIssue({ ..., params: { next } })`. */
export function nextOf(issue: { params?: unknown } | object): string | undefined {
  const params: unknown = 'params' in issue ? issue.params : undefined
  const next: unknown = typeof params === 'object' && params !== null && 'next' in params ? params.next : undefined
  return typeof next === 'string' ? next : undefined
}

function indent(text: string, width: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(width))
}
