/** The kinds of values that several parts of the config share. */
import { z } from 'zod'

/** A secret, or the name of one in `${NAME}`. */
export const secret = z.string().min(1)

/** The value of a header that is sent with every request: may be one. */
export const headerValue = z.string()

/** 'Name: value', as [name, value]. */
export const headerLine = z.string().transform((text, context) => {
  const match = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*)$/.exec(text)
  if (match?.[1] && !/[\r\n]/.test(text)) return [match[1].toLowerCase(), match[2] ?? ''] as const
  context.addIssue({ code: 'custom', message: "not of the form 'Name: value'" })
  return z.NEVER
})

/** What a header may hold. */
export const headerSafe = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'the key holds a blank, a line break or a letter that no header may hold')

const NAMED = /^([A-Za-z][\w.-]{0,39})=(.+)$/s

/** What stands before the first '=' names the rest in reports, tables and plots; undefined where nothing does. */
export function splitName(given: string): { name: string; value: string } | undefined {
  const [, name, value] = NAMED.exec(given) ?? []
  return name === undefined || value === undefined ? undefined : { name, value }
}

/** 'NAME=value'. */
export const namedValue = z.string().transform((given, context) => {
  const split = splitName(given)
  if (split) return split
  const name = given.split('=')[0] ?? ''
  const rule = "where NAME is a letter, then letters, digits, '.', '-' or '_'"
  const message = `'${name}' is not the beginning of NAME=…, ${rule}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** What no output may show. */
export const SECRETS: ReadonlySet<z.ZodType> = new Set([secret, headerValue])

export type Environment = Readonly<Record<string, string | undefined>>

/** A secret as the file gives it: itself, or found under the name in `${NAME}`. Exactly one of the three is set. */
export interface Secret {
  value?: string
  /** The variable that is referred to and not set. */
  missing?: string
  problem?: string
}

export function lookUpSecret(given: string, environment: Environment): Secret {
  const name = /^\$\{([A-Za-z_]\w*)\}$/.exec(given)?.[1]
  if (name === undefined && given.includes('${')) {
    return { problem: 'a reference to the environment is the whole value, or none' }
  }
  const value = (name === undefined ? given : environment[name])?.trim()
  if (!value) return name === undefined ? { problem: 'is empty' } : { missing: name }
  // The value itself is never shown.
  return /^[\x21-\x7e]+$/.test(value) ? { value } : { problem: 'not usable as a header value' }
}

/** A header's value as the file gives it, in which each `${NAME}` is looked up ('Bearer ${TOKEN}'). */
export function lookUpHeader(given: string, environment: Environment): Secret {
  let missing: string | undefined
  const value = given.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
    const found = environment[name]?.trim()
    if (!found) missing ??= name
    return found ?? ''
  })
  if (missing !== undefined) return { missing }
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)
    ? { value }
    : { problem: 'not usable as a header value' }
}

/**
 * Why no request should go to `url`, if anything: it holds credentials, which would be shown wherever the address is,
 * or it is link-local, where cloud machines hand out credentials of their own. A URL that is parsed has one spelling
 * only.
 */
export function addressProblem({ username, password, hostname }: URL): string | undefined {
  if (username || password) return 'credentials do not belong in a URL (use api_key, or headers)'
  const isLinkLocal = /^169\.254\.|^\[(?:fe[89ab]|::ffff:a9fe:)/.test(hostname)
  return isLinkLocal
    ? `${hostname} is link-local: no provider is there, but a cloud machine's own credentials are`
    : undefined
}

export const httpUrl = z.string().superRefine((text, context) => {
  const url = URL.parse(text)
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  const problem = url && isHttp ? addressProblem(url) : 'not an http(s) URL'
  if (problem) context.addIssue({ code: 'custom', message: problem })
})
