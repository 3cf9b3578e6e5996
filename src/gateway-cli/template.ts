/**
 * The `--format` of `kt events tail`, as in docker: text with `{{.field}}` in it, `{{.overhead.routing}}` for a field
 * within a field, `{{.}}` for the whole event; `\t` and `\n` are what they are in a string. A field without a value
 * prints as '-'.
 */
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/explain.ts'
import { EVENT_FIELDS, type GatewayEvent, NESTED_FIELDS } from '../wire/gateway-event.ts'
import { OVERHEAD_COMPONENTS } from '../wire/overhead-components.ts'

const COMPONENTS = OVERHEAD_COMPONENTS.map(({ field }) => field)
const PLACE = /\{\{\s*(.*?)\s*\}\}/g

export function compileTemplate(format: string): (event: GatewayEvent) => string {
  const text = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const parts: (string | string[])[] = []
  let end = 0
  for (const match of text.matchAll(PLACE)) {
    parts.push(text.slice(end, match.index), parsePath(match[1] ?? ''))
    end = match.index + match[0].length
  }
  parts.push(text.slice(end))
  if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
    throw new UserError(`--format: '{{' and '}}' do not match in '${format}'`, 'Write a field as {{.latency_ms}}.')
  }
  return (event) => parts.map((part) => (typeof part === 'string' ? part : shown(valueAt(event, part)))).join('')
}

function parsePath(inside: string): string[] {
  if (inside === '.') return []
  const [dot, ...names] = inside.split('.')
  const [field = '', within, ...more] = names
  if (dot !== '' || field === '' || more.length > 0) {
    const near = didYouMean(inside.replace(/^\./, ''), EVENT_FIELDS)
    throw new UserError(`--format: '{{${inside}}}' is not a field`, `Write it as {{.${near ?? 'latency_ms'}}}.`)
  }
  if (!EVENT_FIELDS.includes(field)) throw unknown(field, EVENT_FIELDS, '')
  if (within === undefined) return [field]
  if (!NESTED_FIELDS.includes(field)) {
    throw new UserError(`--format: '${field}' has no fields within it`, `Write it as {{.${field}}}.`)
  }
  if (field === 'overhead' && !COMPONENTS.includes(within)) throw unknown(within, COMPONENTS, 'overhead.')
  return [field, within]
}

function unknown(field: string, known: readonly string[], before: string): UserError {
  const near = didYouMean(field, known)
  return new UserError(
    `--format: an event has no field '${before}${field}'`,
    near ? `Did you mean {{.${before}${near}}}?` : `The fields are ${known.join(', ')}.`,
  )
}

function valueAt(event: GatewayEvent, path: readonly string[]): unknown {
  let value: unknown = event
  for (const name of path)
    value =
      typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined
  return value
}

/** Names come from clients: what could steer a terminal is written out. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return '-'
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.replaceAll(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
