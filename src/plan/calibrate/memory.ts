/**
 * Memory of a worker at rest and of one stream, from what the gateway's processes held at numbers of streams: the line of least squares,
 * of one number of workers (the fewest), since further processes add more than streams. Resident memory seldom falls again and the
 * levels of a sweep rise, so garbage not yet collected counts as the streams': the figure errs upwards. A slope that its interval
 * cannot tell from none says nothing of a stream.
 */
import { fitLine, type Line } from '../../stats/line.ts'
import type { Figures } from '../figures.ts'
import type { MeasuredRun } from './run.ts'

const FEWEST_LEVELS = 3

export function memoryOf(
  runs: readonly MeasuredRun[],
  notes: string[],
): Partial<Pick<Figures, 'bytesPerStream' | 'baseBytesPerWorker'>> {
  const known = runs.flatMap(({ source, stream, workers, gateway, inFlight }) =>
    stream && gateway && inFlight !== undefined ? [{ source, workers, x: inFlight, y: gateway.rssBytes }] : [],
  )
  if (known.length === 0) return {}
  const fewest = Math.min(...known.map(({ workers }) => workers))
  const lines = [...new Set(known.map(({ source }) => source))].flatMap((source) => {
    const points = known.filter((point) => point.source === source && point.workers === fewest)
    const line = points.length >= FEWEST_LEVELS ? fitLine(points) : undefined
    return line && line.slope95[0] > 0 && line.intercept > 0 ? [line] : []
  })
  // Of several mixes the one whose streams hold most.
  const [most] = lines.sort((a, b) => b.slope - a.slope)
  if (!most) {
    notes.push(
      `memory per stream cannot be told from noise: it stays the default (sweep ${FEWEST_LEVELS} levels or more, farther apart)`,
    )
    return {}
  }
  notes.push('memory per stream from what was resident at rising levels: garbage not yet collected is in it')
  return figuresOf(most, fewest)
}

function figuresOf({ slope, intercept, slope95 }: Line, workers: number) {
  const common = { from: 'calibrated', source: 'own measurements' } as const
  return {
    bytesPerStream: { ...common, value: slope, low: slope95[0], high: slope95[1] },
    baseBytesPerWorker: { ...common, value: intercept / workers },
  }
}
