/**
 * `--config bench.yaml`: any flag of `kt bench` as a key, in snake_case (`max_tokens: 200`). A flag wins over the
 * file, also over the keys that it excludes. The same form, without secrets, goes into the report; everything printed
 * or stored is cleared of secrets here.
 */
import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { TEXT_OPTIONS } from '../workload/choose.ts'

const HIDDEN = '***'

/** Values by flag name, and where they came from. */
export interface Given {
  values: Record<string, unknown>
  /** The file, and the names that were taken from it. */
  file?: { path: string; names: ReadonlySet<string> } | undefined
}

/** A run takes one of each group: a flag replaces every key of its group in the file. */
const RIVALS: readonly (readonly string[])[] = [['rps', 'concurrency'], TEXT_OPTIONS]

const REPEATABLE: ReadonlySet<string> = new Set(['header', 'threshold'])

const PREFIXES = ['shared-prefix-tokens', 'shared-prefixes']

/** The flags, and the keys of the file at `path` that no flag replaces. `names` are the names of all options. */
export function withConfig(flags: Record<string, unknown>, path: string | undefined, names: readonly string[]): Given {
  const typed = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
  if (path === undefined) return { values: typed }
  const keys = Object.fromEntries(names.map((name) => [keyOf(name), z.unknown().optional()]))
  const read = readYaml(path, z.strictObject(keys), 'bench config')
  const dropped = new Set(Object.keys(typed).flatMap(rivalsOf))
  const taken = Object.entries(read)
    .map(([key, value]) => [key.replaceAll('_', '-'), value] as const)
    .filter(([name, value]) => value !== undefined && value !== null && !(name in typed) && !dropped.has(name))
    // A single value of a repeatable option needs no list.
    .map(([name, value]) => [name, REPEATABLE.has(name) && typeof value === 'string' ? [value] : value] as const)
  return {
    values: { ...Object.fromEntries(taken), ...typed },
    file: { path, names: new Set(taken.map(([name]) => name)) },
  }
}

/** A key of the file: the flag's name in snake_case. */
export function keyOf(name: string): string {
  return name.replaceAll('-', '_')
}

/** All options in the form of a config file, fit to be stored: without the key, header values and the query of URLs. */
export function shownOptions(
  values: Record<string, unknown>,
  fields: Readonly<Record<string, z.ZodType>>,
): Record<string, unknown> {
  const entries = Object.entries(fields).flatMap(([name, field]) => {
    const value = values[name] ?? defaultOf(field)
    return value === undefined || name === 'api-key' ? [] : [[keyOf(name), shown(name, value)]]
  })
  return Object.fromEntries(entries)
}

function shown(name: string, value: unknown): unknown {
  if (name.endsWith('url')) return hideQuery(String(value))
  if (name !== 'header' || !Array.isArray(value)) return value
  return value.map((header) => `${String(header).split(':')[0]}: ${HIDDEN}`)
}

function defaultOf(field: z.ZodType): unknown {
  return field instanceof z.ZodPrefault || field instanceof z.ZodDefault ? field.def.defaultValue : undefined
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

/** Hides the secrets in a text from outside, because some targets echo the key in their error. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length >= 4).reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
}

/** The query of a URL may hold a key. */
function hideQuery(word: string): string {
  return /^(--(?:baseline-)?url=)?https?:\/\//.test(word) ? word.replace(/\?.*$/s, `?${HIDDEN}`) : word
}
