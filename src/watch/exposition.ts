/**
 * Reads what a server's metrics page says: the text formats of Prometheus (0.0.4) and OpenMetrics (1.0). Strict, as
 * Prometheus is: one line that is neither makes the whole page unusable, since half of it would be taken for all.
 */
import { failure, type Result, success } from '../errors.ts'

export interface Sample {
  /** Of the line itself: `http_requests_total`, `latency_seconds_bucket`. */
  name: string
  labels: Readonly<Record<string, string>>
  value: number
  /** It only grows until its server starts anew: a counter, or a part of a histogram or summary. */
  cumulative: boolean
}

const TYPES = [
  ...['counter', 'gauge', 'histogram', 'summary', 'untyped'],
  ...['unknown', 'info', 'stateset', 'gaugehistogram'],
]
const NAME = '[A-Za-z_:][\\w:]*'
const BLANK = '[ \\t]*'
const LABEL = `[A-Za-z_]\\w*${BLANK}=${BLANK}"(?:[^"\\\\]|\\\\.)*"`
const LABELS = `\\{${BLANK}((?:${LABEL}(?:${BLANK},${BLANK}${LABEL})*)?)${BLANK},?${BLANK}\\}`
const NUMBER = '[+-]?(?:\\d+\\.?\\d*(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?|[Ii]nf(?:inity)?|[Nn]a[Nn])'
/** An example of a request that was counted, which OpenMetrics allows at the end of a line. */
const EXEMPLAR = `[ \\t]+#[ \\t]+${LABELS}[ \\t]+${NUMBER}(?:[ \\t]+${NUMBER})?`

const SAMPLE = new RegExp(
  `^(${NAME})(?:${BLANK}${LABELS}${BLANK}|[ \\t]+)(${NUMBER})(?:[ \\t]+${NUMBER})?(?:${EXEMPLAR})?${BLANK}$`,
)
const ONE_LABEL = new RegExp(`([A-Za-z_]\\w*)${BLANK}=${BLANK}"((?:[^"\\\\]|\\\\.)*)"`, 'g')
const TYPE = new RegExp(`^#[ \\t]+TYPE[ \\t]+(${NAME})[ \\t]+(\\w+)${BLANK}$`)

const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' }
/** As much of a wrong line as a message repeats. */
const SHOWN = 60

/** `openMetrics`: as the answer's content type says; such a page has an end mark. */
export function parseExposition(text: string, openMetrics = false): Result<Sample[]> {
  const lines = text.split('\n')
  const types = new Map<string, string>()
  const samples: Sample[] = []
  const seen = new Set<string>()
  let ended = false
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const wrong = (why: string): Result<never> => failure(`line ${index + 1} ${why}: ${shortened(line)}`)
    if (line.trim() === '') continue
    if (ended) return wrong('follows the end mark')
    if (line.startsWith('#')) {
      ended = openMetrics && line === '# EOF'
      const [, name, type] = TYPE.exec(line) ?? []
      if (name === undefined || type === undefined) continue
      if (!TYPES.includes(type)) return wrong('has a type that there is not')
      if (types.has(name)) return wrong('gives a type for the second time')
      types.set(name, type)
      continue
    }
    const sample = parseSample(line, types)
    if (!sample) return wrong('is not of the text format of Prometheus')
    const key = seriesKey(sample)
    if (seen.has(key)) return wrong('has a series for the second time')
    seen.add(key)
    samples.push(sample)
  }
  return openMetrics && !ended ? failure('it ends without an end mark') : success(samples)
}

/** The same for the same name and labels, in whatever order these stand. */
export function seriesKey({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

function parseSample(line: string, types: ReadonlyMap<string, string>): Sample | undefined {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
  if (name === undefined || value === undefined) return undefined
  const pairs = [...labels.matchAll(ONE_LABEL)].map(([, key = '', text = '']) => [key, unescaped(text)] as const)
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) return undefined
  return { name, labels: Object.fromEntries(pairs), value: toNumber(value), cumulative: isCumulative(name, types) }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\./gs, (pair) => ESCAPES[pair] ?? pair)
}

function toNumber(text: string): number {
  if (/nan/i.test(text)) return Number.NaN
  if (/inf/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return Number(text)
}

/** Prometheus gives the type of a counter for its whole name, OpenMetrics without `_total`. */
function isCumulative(name: string, types: ReadonlyMap<string, string>): boolean {
  if (types.get(name) === 'counter') return true
  const [, family = '', part] = /^(.*)_(total|bucket|sum|count)$/.exec(name) ?? []
  const type = types.get(family)
  return part === 'total' ? type === 'counter' : part !== undefined && (type === 'histogram' || type === 'summary')
}

function shortened(line: string): string {
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}
