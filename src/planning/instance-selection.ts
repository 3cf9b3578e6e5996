/** Which machines a ranking takes: filters by cloud, region, architecture and family, with the user's prices where given. */
import { UserError } from '../errors.ts'
import type { Instance } from '../plan/instances.ts'
import { familyNamed, instanceNamed, readInstances, withPrices } from './instances.ts'

export interface InstanceFlags {
  cloud?: string | undefined
  region?: string | undefined
  arch?: string | undefined
  family?: string | undefined
  'price-file'?: string | undefined
  'measured-on'?: string | undefined
}

export function selectInstances(flags: InstanceFlags): { instances: Instance[]; measuredOn: Instance | undefined } {
  const shipped = readInstances()
  const catalogue = flags['price-file'] === undefined ? shipped : withPrices(shipped, flags['price-file'])
  const family = flags.family === undefined ? undefined : familyNamed(flags.family, shipped)
  const measuredOn = flags['measured-on'] === undefined ? undefined : instanceNamed(flags['measured-on'], shipped)
  const fitting = catalogue.instances.filter(
    (instance) =>
      (flags.cloud === undefined || instance.cloudId === flags.cloud) &&
      (flags.arch === undefined || instance.arch === flags.arch) &&
      (family === undefined || instance.family === family),
  )
  const instances = fitting.filter(({ region }) => flags.region === undefined || region === flags.region)
  if (instances.length === 0) {
    const regions = [...new Set(fitting.map(({ region }) => region))]
    throw new UserError(
      fitting.length > 0 ? `no prices of the region '${flags.region}'` : 'no machine of the catalogue is all of that',
      fitting.length > 0
        ? `There are prices of ${regions.join(', ')}; give others with --price-file (unit, region, date, prices).`
        : 'Leave one of --cloud, --arch and --family out.',
    )
  }
  return { instances, measuredOn }
}
