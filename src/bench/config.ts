/**
 * `--config bench.yaml`: any flag of `kt bench` as a key, in snake_case (`max_tokens: 200`). A flag wins over the
 * file, also over the keys that it excludes. The same form, without secrets, goes into the report; everything printed
 * or stored is cleared of secrets here.
 */
import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { type FlagDefinitions, flagGroup } from '../parse/flags.ts'
import { type Given, keyOf } from '../parse/parse-flags.ts'
import { TEXT_OPTIONS } from '../workload/choose.ts'

export const configFlag = {
  config: flagGroup().text(
    z.string().optional(),
    'YAML file with any of these flags as keys, such as max_tokens: 200; flags win over it',
    { helpValue: 'bench.yaml' },
  ),
}

const HIDDEN = '***'
const SHORTEST_SECRET = 4
/** A beginning of this length is hidden too: providers show what comes before, such as sk-proj-. */
const TELLING = 9

/** A run takes one of each group: a flag replaces every key of its group in the file. */
const RIVALS: readonly (readonly string[])[] = [['rps', 'concurrency'], TEXT_OPTIONS]

/** Keys of a config file that have another name today. */
const FORMER_NAMES: Readonly<Record<string, string>> = { rehearsal: 'jit-warmup' }

const REPEATABLE: ReadonlySet<string> = new Set(['header', 'threshold', 'abort-on', 'label'])

const PREFIXES = ['shared-prefix-tokens', 'shared-prefixes']

/**
 * The flags that were typed, and the keys of the file of --config that no flag replaces. `names` are those of all
 * flags; `apiKey` is the key where neither gives one.
 */
export function withConfig(flags: Record<string, unknown>, names: readonly string[], apiKey?: string): Given {
  const { config: path, ...options } = flags
  const typed = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  if (typeof path !== 'string') return { values: { 'api-key': apiKey, ...typed } }
  const keys = Object.fromEntries(
    [...names.map(keyOf), ...Object.keys(FORMER_NAMES)].map((key) => [key, z.unknown().optional()]),
  )
  const read = readYaml(path, z.strictObject(keys), 'bench config')
  const dropped = new Set(Object.keys(typed).flatMap(rivalsOf))
  const taken = Object.entries(read)
    .map(([key, value]) => [FORMER_NAMES[key] ?? key.replaceAll('_', '-'), value] as const)
    .filter(([name, value]) => value !== undefined && value !== null && !(name in typed) && !dropped.has(name))
    // A single value of a repeatable option needs no list.
    .map(([name, value]) => [name, REPEATABLE.has(name) && typeof value === 'string' ? [value] : value] as const)
  return {
    values: { 'api-key': apiKey, ...Object.fromEntries(taken), ...typed },
    file: { path, names: new Set(taken.map(([name]) => name)) },
  }
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
  if (name.endsWith('url')) return hideQuery(String(value))
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

/** The command line without the values of --api-key and --header, quoted where a shell needs quotes. */
export function commandLine(argv: readonly string[]): string {
  const shown: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    const [, flag, value] = /^(--api-key|--header)(=.*)?$/s.exec(word) ?? []
    if (flag === undefined) shown.push(hideQuery(word))
    else {
      shown.push(value === undefined ? flag : `${flag}=${HIDDEN}`)
      if (value === undefined && ++i < argv.length) shown.push(HIDDEN)
    }
  }
  return shown.map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
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

/** The query of a URL may hold a key. */
function hideQuery(word: string): string {
  return /^(--(?:baseline-)?url=)?https?:\/\//.test(word) ? word.replace(/\?.*$/s, `?${HIDDEN}`) : word
}
