/**
 * The figures a plan is made of: everything that is not demand. Each says where it comes from, so that a plan can be
 * read back to its sources, varied for a sensitivity analysis, and replaced one by one by what was measured.
 */

export const FIGURE_UNITS = {
  ratio: '',
  outputPerWorker: 'tokens/s',
  requestCpuMs: 'ms',
  outputBytesPerToken: 'B',
  jsonBytesPerToken: 'B',
  eventsPerToken: '',
  eventsPerWorker: 'events/s',
  inputBytesPerToken: 'B',
  networkUtilisation: '',
  tokensPerSecPerStream: 'tokens/s',
  ttftS: 's',
  connectionsPerWorker: '',
  descriptorsPerWorker: '',
  ephemeralPorts: '',
  timeWaitS: 's',
  h2StreamsPerConnection: '',
  baseBytesPerWorker: 'B',
  bytesPerStream: 'B',
  bodyBufferBytes: 'B',
} as const

/**
 * What people call them, in formulas and tables, and the option that replaces each; the others are replaced in a sizing
 * file.
 */
export const FIGURE_WORDS: Record<keyof typeof FIGURE_UNITS, { label: string; option: string }> = {
  ratio: { label: 'R', option: '--ratio' },
  outputPerWorker: { label: 'O_w', option: '--output-per-worker' },
  requestCpuMs: { label: 'CPU of a request', option: '--from-bench' },
  outputBytesPerToken: { label: 'bytes per output token', option: '--bytes-per-output-token' },
  jsonBytesPerToken: { label: 'bytes per token of JSON', option: '--sizing' },
  eventsPerToken: { label: 'events per token', option: '--events-per-token' },
  eventsPerWorker: { label: 'events/s per worker', option: '--events-per-worker' },
  inputBytesPerToken: { label: 'bytes per input token', option: '--bytes-per-input-token' },
  networkUtilisation: { label: 'share of bandwidth', option: '--sizing' },
  tokensPerSecPerStream: { label: 'tokens/s per stream', option: '--stream-rate' },
  ttftS: { label: 'TTFT', option: '--ttft' },
  connectionsPerWorker: { label: 'connections per worker', option: '--connections-per-worker' },
  descriptorsPerWorker: { label: 'descriptors per worker', option: '--sizing' },
  ephemeralPorts: { label: 'ports per address', option: '--sizing' },
  timeWaitS: { label: 'TIME_WAIT', option: '--sizing' },
  h2StreamsPerConnection: { label: 'streams per h2 connection', option: '--sizing' },
  baseBytesPerWorker: { label: 'memory of a worker', option: '--memory-base' },
  bytesPerStream: { label: 'memory per stream', option: '--memory-per-stream' },
  bodyBufferBytes: { label: 'body buffer', option: '--body-buffer' },
}

export type FigureKey = keyof typeof FIGURE_UNITS
export const FIGURE_KEYS = Object.keys(FIGURE_UNITS) as FigureKey[]

type FigureOrigin = 'vendor default' | 'assumed' | 'given' | 'calibrated' | 'what if'

export interface Figure {
  value: number
  from: FigureOrigin
  source: string
  /** When the source was read or generated, where it says. */
  date?: string | undefined
  /** 95 % interval, where it was measured. */
  low?: number | undefined
  high?: number | undefined
}

export type PlanFigures = Record<FigureKey, Figure>

/** One line of an explanation: a named value with its unit and its origin. */
export interface Input {
  name: string
  value: number
  unit: string
  from: FigureOrigin | 'demand' | 'catalogue' | 'computed'
  source: string
  date?: string | undefined
}

export function withFigure(
  figures: PlanFigures,
  key: FigureKey,
  value: number,
  from: FigureOrigin,
  source: string,
): PlanFigures {
  return { ...figures, [key]: { value, from, source } }
}

export function figureInput(figures: PlanFigures, key: FigureKey): Input {
  const { value, from, source, date } = figures[key]
  return { name: key, value, unit: FIGURE_UNITS[key], from, source, ...(date === undefined ? {} : { date }) }
}
