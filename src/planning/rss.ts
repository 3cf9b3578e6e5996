import { failure, type Result, success } from '../errors.ts'
import { bytesWithUnit } from '../parse/quantity.ts'
import { fitLine } from '../stats/line.ts'
import { parseCount } from '../units.ts'

/**
 * Memory at rest and of one stream from '100=180MiB,2000=310MiB', resident sets at numbers of streams: the
 * least-squares line through them.
 */
export function parseRss(text: string): Result<{ base: number; perStream: number }> {
  const next = 'Write resident sets at two numbers of streams or more, for example --rss 100=180MiB,2000=310MiB.'
  const points: { x: number; y: number }[] = []
  for (const part of text.split(',')) {
    const [streams = '', size = ''] = part.split('=').map((side) => side.trim())
    const [x, y] = [parseCount(streams), bytesWithUnit.safeParse(size).data]
    if (x === undefined || y === undefined) return failure(`'${part.trim()}' is not streams=size`, next)
    points.push({ x, y })
  }
  const line = fitLine(points)
  if (!line) return failure('needs two different numbers of streams', next)
  const { slope: perStream, intercept: base } = line
  return perStream > 0 && base > 0
    ? success({ base, perStream })
    : failure(
        'memory does not grow with the streams, so it says nothing of one',
        'Measure with more streams, after a warm-up.',
      )
}
