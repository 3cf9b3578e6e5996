/**
 * `--config kt.yaml`: any flag of `kt bench` and `kt bench sweep` as a key, as `max_tokens: 200` or `max-tokens: 200`.
 * A kt.yaml in the working folder is read without being asked for. A flag wins over the file, also over the keys that
 * it excludes. The same form, without secrets, goes into the report; everything printed or stored is cleared of secrets
 * here.
 */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { isAddress } from '../parse/addresses.ts'
import { readYaml } from '../parse/file.ts'
import { flagAt, flagOf, OTHER_NAMES } from '../parse/flag-names.ts'
import { type FlagDefinitions, flagGroup, isRepeatable } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { type Given, keyOf } from '../parse/parse-flags.ts'
import { TEXT_OPTIONS } from '../workload/choose.ts'

/** The file that is found in the working folder. */
export const CONFIG_FILE = 'kt.yaml'

const { text, toggle } = flagGroup('GLOBAL')

export const configFlag = {
  config: text(
    z.string().optional(),
    `YAML file with any of these flags as keys, such as max_tokens: 200; flags win over it [default: ${CONFIG_FILE} ` +
      'in this folder, where there is one]',
    { helpValue: CONFIG_FILE },
  ),
  'no-config': toggle(`leave a ${CONFIG_FILE} in this folder unread`),
}

const HIDDEN = '***'
const SHORTEST_SECRET = 4
/** A beginning of this length is hidden too: providers show what comes before, such as sk-proj-. */
const TELLING = 9

/** Flags whose values are secret, and those whose values may hold a secret in their query. */
const SECRET = ['api-key', 'header']
const ADDRESSES = ['url', 'baseline-url']

/** A run takes one of each group: a flag replaces every key of its group in the file. */
export const RIVALS: readonly (readonly string[])[] = [['rps', 'concurrency'], TEXT_OPTIONS]

const PREFIXES = ['shared-prefix-tokens', 'shared-prefixes']

interface ConfigOptions {
  /** The flags of the command. */
  own: FlagDefinitions
  /** Those that a file may hold for another command. */
  others: FlagDefinitions
  /** The key where neither flags nor file give one. */
  apiKey: string | undefined
  note(line: string): void
}

/** The flags that were given, and the keys of the file of --config that no flag replaces. */
export function withConfig(flags: Record<string, unknown>, { own, others, apiKey, note }: ConfigOptions): Given {
  const { config: asked, 'no-config': none, ...options } = flags
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const path = typeof asked === 'string' ? asked : none !== true && existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined
  if (path === undefined) return { values: { 'api-key': apiKey, ...given } }
  const dropped = new Set(Object.keys(given).flatMap(rivalsOf))
  const taken = Object.entries(readConfig(path, Object.keys({ ...own, ...others })))
    .filter(([name, value]) => value !== undefined && value !== null && name in own)
    .filter(([name]) => !(name in given) && !dropped.has(name))
    // A single value of a repeatable option needs no list.
    .map(([name, value]) => [name, isRepeatable(own[name]) && typeof value === 'string' ? [value] : value] as const)
  if (asked === undefined && taken.length > 0)
    note(`options from ${CONFIG_FILE} in this folder (--no-config leaves it out)`)
  return {
    values: { 'api-key': apiKey, ...Object.fromEntries(taken), ...given },
    file: { path, names: new Set(taken.map(([name]) => name)) },
  }
}

/** The values of the file, by the names of the flags. A file of comments alone gives none. */
function readConfig(path: string, names: readonly string[]): Record<string, unknown> {
  const keys = z.record(z.string(), z.unknown(), { error: 'expected keys with values, such as requests: 500' })
  const read = readYaml(path, keys.nullable(), 'config of kt bench') ?? {}
  const unknown: string[] = []
  const values = Object.entries(read).map(([key, value]) => {
    const name = flagOf(key.replaceAll('_', '-'), names)
    if (!names.includes(name)) unknown.push(unknownKey(key, names))
    return [name, value]
  })
  if (unknown.length === 0) return Object.fromEntries(values)
  throw new UserError(
    `${path}: not a usable config of kt bench:\n${unknown.map((line) => `  ${line}`).join('\n')}`,
    `Correct ${unknown.length === 1 ? 'it' : 'them'} and run again. The keys are the flags of 'kt bench --help'.`,
  )
}

function unknownKey(key: string, names: readonly string[]): string {
  const known = names.flatMap((name) => [name, ...(OTHER_NAMES[name]?.aliases ?? [])])
  const near = didYouMean(key.replaceAll('_', '-'), known)
  const written = near && (key.includes('-') ? near : keyOf(near))
  return `unknown key '${key}'${written ? ` (did you mean '${written}'?)` : ''}`
}

/** All options in the form of a config file, fit to be stored: without the key, header values and the query of URLs. */
export function shownOptions(
  values: Readonly<Record<string, unknown>>,
  definitions: FlagDefinitions,
): Record<string, unknown> {
  const entries = Object.entries(definitions).flatMap(([name, { type }]) => {
    const value = values[name] ?? defaultOf(type)
    return value === undefined || name === 'api-key' ? [] : [[keyOf(name), shown(name, value)]]
  })
  return Object.fromEntries(entries)
}

function shown(name: string, value: unknown): unknown {
  if (ADDRESSES.includes(name)) return hideQuery(String(value))
  if (name !== 'header' || !Array.isArray(value)) return value
  return value.map((header) => `${String(header).split(':')[0]}: ${HIDDEN}`)
}

function defaultOf(type: z.ZodType): unknown {
  return type instanceof z.ZodPrefault || type instanceof z.ZodDefault ? type.def.defaultValue : undefined
}

function rivalsOf(flag: string): string[] {
  const group = RIVALS.find((names) => names.includes(flag)) ?? []
  // Shared prefixes go only with generated text.
  const prefixes = group === TEXT_OPTIONS && flag !== 'input-tokens' ? PREFIXES : []
  return [...group.filter((name) => name !== flag), ...prefixes]
}

/** The command line without keys, values of headers and queries of addresses, quoted where a shell needs quotes. */
export function commandLine(argv: readonly string[]): string {
  /** The flag whose value is the next word. */
  let flag: string | undefined
  const shown = argv.map((word) => {
    if (flag !== undefined) {
      const masked = withoutValue(flag, word)
      flag = undefined
      return masked
    }
    const given = flagAt(word, [...SECRET, ...ADDRESSES])
    if (!given) return isAddress(word) ? hideQuery(word) : word
    if (given.value !== undefined) return given.typed + withoutValue(given.flag, given.value)
    flag = given.flag
    return word
  })
  return shown.map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}

function withoutValue(flag: string, value: string): string {
  return SECRET.includes(flag) ? HIDDEN : hideQuery(value)
}

/**
 * Hides the secrets in a text from outside, because some targets echo the key in their error: as it was sent, without
 * its scheme (`Bearer`, `Basic`), encoded or decoded as base64, URL-encoded, and cut off after its beginning.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap(formsOf).filter(({ length }) => length >= SHORTEST_SECRET)
  // The longest first, since one form may hold another.
  return [...new Set(forms)].sort((a, b) => b.length - a.length).reduce(hide, text)
}

function formsOf(secret: string): string[] {
  const bare = secret.replace(/^(?:Bearer|Basic) +/i, '')
  return [...new Set([secret, bare])].flatMap((form) => {
    const decoded = Buffer.from(form, 'base64').toString('utf8')
    const isBase64 = Buffer.from(decoded).toString('base64').replace(/=+$/, '') === form.replace(/=+$/, '')
    const encoded = (['base64', 'base64url'] as const).map((encoding) => Buffer.from(form).toString(encoding))
    // Without the padding the text is found with it too.
    const plain = [form, ...encoded.map((one) => one.replace(/=+$/, '')), ...(isBase64 ? [decoded] : [])]
    return plain.flatMap((one) => [one, encodeURIComponent(one), JSON.stringify(one).slice(1, -1)])
  })
}

/** Hides `form`, and each beginning of it that is long enough to tell something. */
function hide(text: string, form: string): string {
  const beginning = form.slice(0, TELLING)
  let rest = text.replaceAll(form, HIDDEN)
  if (form.length <= TELLING) return rest
  for (let at = rest.indexOf(beginning); at >= 0; at = rest.indexOf(beginning)) {
    let end = TELLING
    while (end < form.length && rest[at + end] === form[end]) end++
    rest = rest.slice(0, at) + HIDDEN + rest.slice(at + end)
  }
  return rest
}

function hideQuery(address: string): string {
  return address.replace(/\?.*$/s, `?${HIDDEN}`)
}
