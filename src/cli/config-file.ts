/**
 * kt.yaml: flags of commands as keys, as `max_tokens: 200` or `max-tokens: 200`. Those at the top are of `kt bench` and
 * `kt bench sweep`; any other command has a section, named as it is called: `slo check:`. A kt.yaml in the working
 * folder is read without being asked for. Here it becomes the values that one command takes of it; what they mean is
 * read as what a user types is.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { flagOf, OTHER_NAMES } from '../parse/flag-names.ts'
import { didYouMean } from '../parse/near.ts'
import { type GivenFile, keyOf } from '../parse/parse-flags.ts'
import { configKeys, type KnownCommand, sectionsOf, TOP } from './config-sections.ts'

interface ConfigValues {
  /** By the names of the flags. */
  values: Record<string, unknown>
  file: GivenFile
}

type Section = Readonly<Record<string, unknown>>

const keysSchema = z.record(z.string(), z.unknown(), { error: 'expected keys with values, such as requests: 500' })

/** What the file gives the command `id`. Every key of every section is checked, since a typo has no effect. */
export function readConfig(
  path: string,
  id: string,
  commands: readonly KnownCommand[],
  rivalsOf: (flag: string) => readonly string[],
): ConfigValues {
  const sections = readSections(path, commands)
  const command = commands.find((known) => known.id === id)
  const values = new Map<string, unknown>()
  const keys = new Map<string, string>()
  for (const name of sectionsOf(id)) {
    const own = Object.entries(sections.get(name) ?? {}).filter(([flag]) => flag in (command?.flags ?? {}))
    // A nearer section replaces what its flags exclude.
    for (const [flag] of own) for (const rival of rivalsOf(flag)) values.delete(rival)
    for (const [flag, value] of own) {
      // A single value of a repeatable flag needs no list.
      values.set(flag, isMultiple(command?.flags[flag]) && typeof value === 'string' ? [value] : value)
      keys.set(flag, name === TOP ? keyOf(flag) : `${name}: ${keyOf(flag)}`)
    }
  }
  return { values: Object.fromEntries(values), file: { path, keys } }
}

function isMultiple(flag: object | undefined): boolean {
  return flag !== undefined && 'multiple' in flag && flag.multiple === true
}

/** By the name of a section: its values, by the names of flags. A file of comments alone has none. */
function readSections(path: string, commands: readonly KnownCommand[]): Map<string, Section> {
  const known = configKeys(commands)
  const top = readYaml(path, keysSchema.nullable(), 'kt.yaml') ?? {}
  const faults: string[] = []
  const sections = new Map<string, Section>()
  const own: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(top)) {
    const section = key.replaceAll(/[_-]/g, ' ')
    if (section === TOP || !known.has(section)) own[key] = value
    else {
      const within = keysSchema.nullable().safeParse(value)
      if (within.success) sections.set(section, toFlags(within.data ?? {}, section, known, faults))
      else faults.push(`${key}: expected keys with values, the flags of 'kt ${section}'`)
    }
  }
  sections.set(TOP, toFlags(own, TOP, known, faults))
  if (faults.length === 0) return sections
  throw new UserError(
    `${path}: not a usable config of kt:\n${faults.map((line) => `  ${line}`).join('\n')}`,
    `Correct ${faults.length === 1 ? 'it' : 'them'} and run again. The keys are flags: those of 'kt bench --help' at ` +
      "the top, those of another command in a section of its name, such as 'slo check:'.",
  )
}

function toFlags(
  values: Section,
  section: string,
  known: ReadonlyMap<string, readonly string[]>,
  faults: string[],
): Section {
  const names = known.get(section) ?? []
  const entries = Object.entries(values).map(([key, value]) => {
    const name = flagOf(key.replaceAll('_', '-'), names)
    if (!names.includes(name)) faults.push(unknownKey(key, section, known))
    return [name, value] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined))
}

/** With the key that is near, or the sections that have such a key. */
function unknownKey(key: string, section: string, known: ReadonlyMap<string, readonly string[]>): string {
  const names = known.get(section) ?? []
  const written = key.replaceAll('_', '-')
  const nearSection = section === TOP ? didYouMean(key.replaceAll(/[_-]/g, ' '), [...known.keys()]) : undefined
  const flags = names.flatMap((name) => [name, ...(OTHER_NAMES[name]?.aliases ?? [])])
  const others = [...known].filter(([, keys]) => keys.includes(flagOf(written, keys))).map(([name]) => name)
  const near = others.length > 0 ? undefined : didYouMean(written, flags)
  const shown = near && (key.includes('-') ? near : keyOf(near))
  const found = shown ?? (others.length > 0 ? undefined : nearSection)
  const place = section === TOP ? '' : `${section}: `
  if (found) return `${place}unknown key '${key}' (did you mean '${found}'?)`
  const places = others.includes(TOP) ? [TOP] : others.slice(0, 2)
  const where = places.map((name) => (name === TOP ? 'at the top' : `under '${name}:'`))
  return `${place}unknown key '${key}'${where.length > 0 ? ` (it stands ${where.join(' or ')})` : ''}`
}
