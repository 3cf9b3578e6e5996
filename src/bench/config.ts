/**
 * What is kept of the options of a bench: in the form of its kt.yaml, for the report, and as a command line. Everything
 * printed or stored is cleared of secrets here.
 */
import { z } from 'zod'
import { isAddress, withoutCredentials } from '../parse/addresses.ts'
import { flagAt } from '../parse/flag-names.ts'
import type { FlagDefinitions } from '../parse/flags.ts'
import { keyOf } from '../parse/parse-flags.ts'
import { TEXT_OPTIONS } from '../workload/choose.ts'

const HIDDEN = '***'
const SHORTEST_SECRET = 4
/** A beginning of this length is hidden too: providers show what comes before, such as sk-proj-. */
const TELLING = 9

/** Flags whose values are secret, and those whose values may hold a secret in their query. */
const SECRET = ['api-key', 'header', 'arm-header']
const ADDRESSES = ['url', 'baseline-url', 'arm', 'scrape', 'otlp', 'proxy']

/** A run takes one of each group. */
const RIVALS: readonly (readonly string[])[] = [['rps', 'concurrency'], TEXT_OPTIONS]

const PREFIXES = ['shared-prefix-tokens', 'shared-prefixes']

/** The flags that `flag` replaces where the environment or a file gave them. */
export function rivalsOf(flag: string): string[] {
  const group = RIVALS.find((names) => names.includes(flag)) ?? []
  // Shared prefixes go only with generated text.
  const prefixes = group === TEXT_OPTIONS && flag !== 'input-tokens' ? PREFIXES : []
  return [...group.filter((name) => name !== flag), ...prefixes]
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
  if (ADDRESSES.includes(name))
    return Array.isArray(value) ? value.map((one) => hideQuery(String(one))) : hideQuery(String(value))
  if (!name.endsWith('header') || !Array.isArray(value)) return value
  return value.map((header) => `${String(header).split(':')[0]}: ${HIDDEN}`)
}

function defaultOf(type: z.ZodType): unknown {
  return type instanceof z.ZodPrefault || type instanceof z.ZodDefault ? type.def.defaultValue : undefined
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
  return withoutCredentials(address.replace(/^(?!\w+:\/\/)[^/]*@/, `${HIDDEN}@`))
}
