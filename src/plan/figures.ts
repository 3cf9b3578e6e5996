/**
 * The figures a plan is made of: everything that is not demand. Each says where it comes from, so that a plan can be read back
 * to its sources, varied for a sensitivity analysis, and replaced one by one by what was measured.
 */

export const FIGURE_UNITS = {
  ratio: '',
  outputPerWorker: 'tokens/s',
  outputBytesPerToken: 'B',
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

export type FigureKey = keyof typeof FIGURE_UNITS
export const FIGURE_KEYS = Object.keys(FIGURE_UNITS) as FigureKey[]

export type FigureOrigin = 'vendor default' | 'assumed' | 'given' | 'calibrated' | 'what if'

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

export type Figures = Record<FigureKey, Figure>

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
  figures: Figures,
  key: FigureKey,
  value: number,
  from: FigureOrigin,
  source: string,
): Figures {
  return { ...figures, [key]: { value, from, source } }
}

export function inputOf(figures: Figures, key: FigureKey): Input {
  const { value, from, source, date } = figures[key]
  return { name: key, value, unit: FIGURE_UNITS[key], from, source, ...(date === undefined ? {} : { date }) }
}
