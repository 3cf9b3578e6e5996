/** `--noise aa.json`: the noise floor of the rig as an earlier A/A run measured it, to be printed with another run's verdict. */
import { UserError } from '../errors.ts'
import { readReport } from '../report/read.ts'
import type { Noise } from './noise.ts'

export function readNoise(path: string): Noise {
  const { noise } = readReport(path)
  if (noise?.source === 'aa') return noise
  throw new UserError(
    `--noise ${path}: this is no A/A run that tells its noise`,
    'Measure one on this rig: kt bench --aa --output aa.json',
  )
}
