/**
 * The `--format` of `kt events tail`, as in docker: text with `{{.field}}` in it, `{{.overhead.routing}}` for a field
 * within a field, `{{.}}` for the whole event; `\t` and `\n` are what they are in a string. A field without a value
 * prints as '-'.
 */
import { failure, type Result, success } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { rulesOf } from '../parse/parse-flags.ts'
import { parsedBy, positiveCount } from '../parse/quantity.ts'
import { printable, printableJson } from '../system/printable.ts'
import { EVENT_FIELDS, type GatewayEvent, NESTED_FIELDS } from '../wire/gateway-event.ts'
import { OVERHEAD_COMPONENTS } from '../wire/overhead-components.ts'
import { adminFlags } from './client.ts'

const COMPONENTS = OVERHEAD_COMPONENTS.map(({ field }) => field)
const PLACE = /\{\{\s*(.*?)\s*\}\}/g

type Template = (event: GatewayEvent) => string

function compileTemplate(format: string): Result<Template> {
  const text = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const parts: (string | string[])[] = []
  let end = 0
  for (const match of text.matchAll(PLACE)) {
    const path = parsePath(match[1] ?? '')
    if (!path.ok) return path
    parts.push(text.slice(end, match.index), path.value)
    end = match.index + match[0].length
  }
  parts.push(text.slice(end))
  if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
    return failure(`'{{' and '}}' do not match in '${format}'`, 'Write a field as {{.latency_ms}}.')
  }
  return success((event) =>
    parts.map((part) => (typeof part === 'string' ? part : shown(valueAt(event, part)))).join(''),
  )
}

function parsePath(inside: string): Result<string[]> {
  if (inside === '.') return success([])
  const [dot, ...names] = inside.split('.')
  const [field = '', within, ...more] = names
  if (dot !== '' || field === '' || more.length > 0) {
    const near = didYouMean(inside.replace(/^\./, ''), EVENT_FIELDS)
    return failure(`'{{${inside}}}' is not a field`, `Write it as {{.${near ?? 'latency_ms'}}}.`)
  }
  if (!EVENT_FIELDS.includes(field)) return unknown(field, EVENT_FIELDS, '')
  if (within === undefined) return success([field])
  if (!NESTED_FIELDS.includes(field)) {
    return failure(`'${field}' has no fields within it`, `Write it as {{.${field}}}.`)
  }
  if (field === 'overhead' && !COMPONENTS.includes(within)) return unknown(within, COMPONENTS, 'overhead.')
  return success([field, within])
}

function unknown(field: string, known: readonly string[], before: string) {
  const near = didYouMean(field, known)
  return failure(
    `an event has no field '${before}${field}'`,
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
  return typeof value === 'object' ? printableJson(value) : printable(String(value))
}

const template = parsedBy(compileTemplate)

const DEFAULT_FORMAT =
  '{{.ts}} {{.status}} {{.latency_ms}}ms (overhead {{.overhead_ms}}ms) {{.model}} cache={{.cache}} ' +
  'in={{.input_tokens}} out={{.output_tokens}}'

const { text, toggle } = flagGroup()

/** The flags of `kt events tail`. */
export const tailFlags = {
  format: text(template.optional(), `template of the line for each event [default: ${DEFAULT_FORMAT}]`),
  count: text(positiveCount.optional(), 'end after this many events'),
  ...adminFlags,
  json: toggle('print each event as a line of JSON'),
}

type TailOptions = FlagValues<typeof tailFlags>

export const TAIL_RULES = [
  rulesOf<TailOptions>()(
    ['json', 'format'],
    ({ json, format }) =>
      json && format && failure('--json and --format both say how an event is printed', 'Give one of them.'),
  ),
]

/** How each event is printed. */
export function chooseTemplate({ json, format = template.parse(DEFAULT_FORMAT) }: TailOptions): Template {
  return json ? shown : format
}
