/** Memory at rest and of one stream, from resident sets at numbers of streams: the line of least squares through them. */
import { UserError } from '../errors.ts'
import { fitLine } from '../stats/line.ts'
import { parseBytes, parseCount } from '../units.ts'

/** '100=180MiB,2000=310MiB' */
export function memoryFromRss(text: string): { base: number; perStream: number } {
  const next = 'Write resident sets at two numbers of streams or more, for example --rss 100=180MiB,2000=310MiB.'
  const points = text.split(',').map((part) => {
    const [streams = '', size = ''] = part.split('=').map((side) => side.trim())
    const [x, y] = [parseCount(streams), parseBytes(size)]
    if (x === undefined || y === undefined || y <= 0)
      throw new UserError(`--rss: '${part.trim()}' is not streams=size`, next)
    return { x, y }
  })
  const line = fitLine(points)
  if (!line) throw new UserError('--rss needs two different numbers of streams', next)
  const { slope: perStream, intercept: base } = line
  if (perStream <= 0 || base <= 0) {
    throw new UserError(
      '--rss: memory does not grow with the streams, so it says nothing of one',
      'Measure with more streams, after a warm-up.',
    )
  }
  return { base, perStream }
}
