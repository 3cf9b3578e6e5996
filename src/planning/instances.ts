/**
 * The machines that a plan can count in: the catalogue profiles/sizing/instances.yaml, a user's price file for it, and
 * which of the machines a ranking takes.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { memorySource } from '../plan/allocatable.ts'
import { type Instance, implausiblePrices } from '../plan/instances.ts'
import { packaged } from '../system/machine.ts'
import { bought, CLOUDS, type Purchase, readMachines, sizeOf } from './machines.ts'
import { planFlags, without } from './plan-flags.ts'

const positive = z.number().positive()

const sizeSchema = z.strictObject({
  size: z.string(),
  vcpu: z.int().positive(),
  memory_gib: positive,
  usd_hour: positive.optional(),
  reserved_usd_hour: positive.optional(),
  spot_usd_hour: positive.optional(),
  region: z.string().optional(),
  baseline_mbps: positive.optional(),
  max_mbps: positive.optional(),
  allocatable_memory_mib: positive.optional(),
  coremark_per_vcpu: positive.optional(),
  bare_metal: z.boolean().default(false),
})

const familySchema = z.strictObject({
  cloud: z.enum(['aws', 'gcp', 'azure']),
  arch: z.string(),
  vcpu: z.enum(['thread', 'core']),
  clock: z.string(),
  region: z.string(),
  price: z.strictObject({ source: z.string(), date: z.string() }),
  network_source: z.string(),
  coremark_source: z.string().optional(),
  sizes: z.array(sizeSchema).min(1),
})

const catalogueSchema = z.strictObject({
  sources: z.record(z.string(), z.strictObject({ ref: z.string(), date: z.string().optional() })),
  families: z.record(z.string(), familySchema),
  burstable: z.strictObject({
    patterns: z.array(z.string()),
    families: z.array(z.string()),
    unsteady: z.array(z.string()),
    sizes: z.array(z.strictObject({ size: z.string(), vcpu: positive, sustained_vcpu: positive })),
  }),
})

type CatalogueFile = z.output<typeof catalogueSchema>

interface Catalogue {
  instances: Instance[]
  burstable: CatalogueFile['burstable']
}

export function readInstances(path: string = packaged('profiles', 'sizing', 'instances.yaml')): Catalogue {
  const file = readYaml(path, catalogueSchema, 'catalogue of machines')
  return {
    instances: Object.entries(file.families).flatMap(([family, entry]) =>
      entry.sizes.map((size) => toInstance(family, entry, size, file)),
    ),
    burstable: file.burstable,
  }
}

function toInstance(
  family: string,
  entry: z.output<typeof familySchema>,
  size: z.output<typeof sizeSchema>,
  { sources }: CatalogueFile,
): Instance {
  const network = sources[entry.network_source]
  return {
    ...sizeOf(size),
    type: size.size,
    family,
    cloud: CLOUDS[entry.cloud],
    cloudId: entry.cloud,
    arch: entry.arch,
    vcpuIs: entry.vcpu,
    region: size.region ?? entry.region,
    priceDate: entry.price.date,
    priceSource: sources[entry.price.source]?.ref ?? entry.price.source,
    coremarkPerVcpu: size.coremark_per_vcpu,
    coremarkSource: entry.coremark_source,
    bareMetal: size.bare_metal,
    usdPerHourAs: { reserved: size.reserved_usd_hour, spot: size.spot_usd_hour },
    memorySource: memorySource(size.allocatable_memory_mib !== undefined),
    source: [
      ...(size.baseline_mbps === undefined ? ['a ceiling, no baseline is published:'] : []),
      network?.ref ?? entry.network_source,
      ...(network?.date ? [`(${network.date})`] : []),
    ].join(' '),
  }
}

/** The catalogue with the user's machines in front, bought in that way. */
export function machinesOf({
  machines,
  purchase,
}: {
  machines?: string | undefined
  purchase?: Purchase | undefined
}): Catalogue {
  const shipped = readInstances()
  const own = machines === undefined ? [] : readMachines(machines)
  const names = new Set(own.map(({ type }) => type))
  return {
    ...shipped,
    instances: [...own, ...shipped.instances.filter(({ type }) => !names.has(type))].map((one) =>
      bought(one, purchase),
    ),
  }
}

/** The machine of that name; a burstable one is refused with the reason. */
export function instanceNamed(name: string, { instances, burstable }: Catalogue): Instance {
  const found = instances.find(({ type }) => type.toLowerCase() === name.toLowerCase())
  if (found) return found
  refuseBurstable(name, burstable)
  const near = didYouMean(
    name,
    instances.map(({ type }) => type),
  )
  throw new UserError(
    `no machine '${name}' in the catalogue${near ? ` (did you mean '${near}'?)` : ''}`,
    "'kt plan instances --all' lists them; profiles/sizing/instances.yaml holds them.",
  )
}

function familyNamed(name: string, { instances, burstable }: Catalogue): string {
  const families = [...new Set(instances.map(({ family }) => family))]
  const found = families.find((family) => family.toLowerCase() === name.toLowerCase())
  if (found) return found
  refuseBurstable(name, burstable)
  const near = didYouMean(name, families)
  throw new UserError(
    `no family '${name}' in the catalogue${near ? ` (did you mean '${near}'?)` : ''}`,
    `Known: ${families.join(', ')}.`,
  )
}

function refuseBurstable(name: string, { patterns, families, unsteady, sizes }: Catalogue['burstable']): void {
  const next = 'Take a dedicated CPU: c5, c6i, c6g, c7g, c2-standard, c3-standard, Fsv2 or Dasv5.'
  const size = sizes.find((entry) => entry.size.toLowerCase() === name.toLowerCase())
  if (size) {
    throw new UserError(
      `${size.size} is burstable: it sustains ${size.sustained_vcpu} of its ${size.vcpu} vCPU; ` +
        'once its credits are spent, tokens are delayed',
      next,
    )
  }
  if (
    families.some((family) => family.toLowerCase() === name.toLowerCase()) ||
    patterns.some((pattern) => new RegExp(pattern, 'i').test(name))
  ) {
    throw new UserError(`${name} is burstable: it earns CPU as credits; once they are spent, tokens are delayed`, next)
  }
  if (unsteady.some((pattern) => new RegExp(pattern, 'i').test(`${name}-`))) {
    throw new UserError(
      `${name} has no fixed CPU platform (its shared-core sizes are burstable): its throughput cannot be planned`,
      next,
    )
  }
}

const priceFileSchema = z.strictObject({
  unit: z.string(),
  region: z.string(),
  date: z.iso.date('expected a day such as 2026-11-01'),
  prices: z.record(z.string(), positive).refine((prices) => Object.keys(prices).length > 0, 'names no machine'),
})

/** The catalogue with a user's prices in it, and only the machines that they name. */
function withPrices(catalogue: Catalogue, path: string): Catalogue {
  const file = readYaml(path, priceFileSchema, 'price file')
  if (!/^usd\s*(?:\/|per )\s*h(?:our)?$/i.test(file.unit.trim())) {
    throw new UserError(
      `${path}: unit: '${file.unit}' is not USD/hour`,
      'Convert the prices to US dollars an hour and say unit: USD/hour.',
    )
  }
  const prices = new Map(Object.entries(file.prices))
  for (const name of prices.keys()) instanceNamed(name, catalogue)
  const wrong = implausiblePrices(prices, catalogue.instances)
  if (wrong.length > 0) {
    throw new UserError(
      `${path}: prices that cannot be:\n${wrong.map((line) => `  ${line}`).join('\n')}`,
      'Correct them, or leave those machines out.',
    )
  }
  return {
    ...catalogue,
    instances: catalogue.instances.flatMap((instance) => {
      const usdPerHour = prices.get(instance.type)
      return usdPerHour === undefined
        ? []
        : [{ ...instance, usdPerHour, region: file.region, priceDate: file.date, priceSource: path }]
    }),
  }
}

const { text, toggle } = flagGroup('MACHINES')

/** The flags of `kt plan instances`. */
export const instanceFlags = {
  // It counts in every machine of the list.
  ...without(planFlags, 'node'),
  cloud: text(oneOf(['aws', 'gcp', 'azure']).optional(), 'only machines of this cloud', {
    helpValue: 'aws|gcp|azure',
  }),
  region: text(z.string().optional(), 'only prices of this region', { helpValue: 'us-east-1' }),
  arch: text(oneOf(['x86_64', 'arm64']).optional(), 'only machines of this architecture', {
    helpValue: 'x86_64|arm64',
  }),
  family: text(z.string().optional(), 'only machines of this family', { helpValue: 'c5' }),
  'price-file': text(z.string().optional(), 'your own prices, in USD/hour', { helpValue: 'prices.yaml' }),
  'measured-on': text(
    z.string().optional(),
    'machine that the figures were measured on: scales a worker by core speed',
    { helpValue: 'c6i.4xlarge' },
  ),
  all: toggle('show all machines, not only the cheapest twelve'),
  json: flagGroup().toggle('print the ranking as JSON'),
}

type MachineOptions = Pick<
  FlagValues<typeof instanceFlags>,
  'cloud' | 'region' | 'arch' | 'family' | 'price-file' | 'measured-on' | 'machines' | 'purchase'
>

export function selectInstances(options: MachineOptions): { instances: Instance[]; measuredOn: Instance | undefined } {
  const shipped = machinesOf(options)
  const catalogue = options['price-file'] === undefined ? shipped : withPrices(shipped, options['price-file'])
  const family = options.family === undefined ? undefined : familyNamed(options.family, shipped)
  const measuredOn = options['measured-on'] === undefined ? undefined : instanceNamed(options['measured-on'], shipped)
  const fitting = catalogue.instances.filter(
    (instance) =>
      (options.cloud === undefined || instance.cloudId === options.cloud) &&
      (options.purchase === undefined || options.purchase === 'on-demand' || instance.usdPerHour !== undefined) &&
      (options.arch === undefined || instance.arch === options.arch) &&
      (family === undefined || instance.family === family),
  )
  const instances = fitting.filter(({ region }) => options.region === undefined || region === options.region)
  if (instances.length === 0) {
    const regions = [...new Set(fitting.map(({ region }) => region))]
    throw new UserError(
      fitting.length > 0 ? `no prices of the region '${options.region}'` : 'no machine of the catalogue is all of that',
      fitting.length > 0
        ? `There are prices of ${regions.join(', ')}; give others with --price-file (unit, region, date, prices).`
        : 'Leave one of --cloud, --arch and --family out.',
    )
  }
  return { instances, measuredOn }
}
