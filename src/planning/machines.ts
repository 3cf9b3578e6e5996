/**
 * The user's own machines (--machines), and how machines are bought: on demand, reserved or spot, each at the prices
 * that a file gives.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { positiveNumber } from '../parse/quantity.ts'
import { allocatableMemoryBytes, allocatableMillicores, memorySource } from '../plan/allocatable.ts'
import type { Instance } from '../plan/instances.ts'
import { fileNamed } from '../system/shipped.ts'

export const PURCHASES = ['on-demand', 'reserved', 'spot'] as const
export type Purchase = (typeof PURCHASES)[number]

/** The names of the clouds, by the ids that manifests know. */
export const CLOUDS = { aws: 'AWS', gcp: 'GCP', azure: 'Azure' } as const
const positive = z.number().positive()

const machineSchema = z
  .strictObject({
    type: z.string(),
    cloud: z.string(),
    family: z.string().optional(),
    arch: z.enum(['x86_64', 'arm64']).default('x86_64'),
    vcpu: z.int().min(2, 'a node of one vCPU has no whole one left for a worker'),
    vcpu_is: z.enum(['thread', 'core']).default('thread'),
    memory_gib: positive,
    baseline_mbps: positive.optional(),
    max_mbps: positive.optional(),
    max_pps: positiveNumber.optional(),
    allocatable_memory_mib: positive.optional(),
    usd_hour: positive.optional(),
    reserved_usd_hour: positive.optional(),
    spot_usd_hour: positive.optional(),
    region: z.string(),
    price_date: z.iso.date('expected a day such as 2026-11-01'),
    source: z.string(),
  })
  .refine(
    ({ baseline_mbps, max_mbps }) => (baseline_mbps === undefined) !== (max_mbps === undefined),
    'give either baseline_mbps, what is sustained, or max_mbps, a ceiling',
  )

const machinesSchema = z.strictObject({
  machines: z
    .array(machineSchema)
    .min(1)
    .refine((all) => new Set(all.map(({ type }) => type)).size === all.length, 'a type stands there twice'),
})

export function readMachines(path: string): Instance[] {
  return readYaml(fileNamed(path), machinesSchema, 'file of machines').machines.map(toInstance)
}

/** A machine as the files of machines write it. */
interface MachineSize {
  vcpu: number
  memory_gib: number
  baseline_mbps?: number | undefined
  max_mbps?: number | undefined
  allocatable_memory_mib?: number | undefined
  usd_hour?: number | undefined
}

/** What a machine holds, and what of it is for pods. */
export function sizeOf(size: MachineSize) {
  const { vcpu, memory_gib, baseline_mbps, max_mbps, allocatable_memory_mib, usd_hour } = size
  return {
    vcpu,
    memoryGib: memory_gib,
    bandwidthGbps: (baseline_mbps ?? max_mbps ?? 0) / 1_000,
    bandwidthIs: baseline_mbps === undefined ? 'ceiling' : 'baseline',
    allocatableMillicores: allocatableMillicores(vcpu),
    allocatableMemoryBytes:
      allocatable_memory_mib === undefined ? allocatableMemoryBytes(memory_gib) : allocatable_memory_mib * 1024 ** 2,
    usdPerHour: usd_hour,
  } as const
}

const CLOUD_IDS = Object.keys(CLOUDS) as (keyof typeof CLOUDS)[]

function toInstance(machine: z.output<typeof machineSchema>): Instance {
  return {
    ...sizeOf(machine),
    type: machine.type,
    family: machine.family ?? machine.type,
    cloud: machine.cloud,
    cloudId: CLOUD_IDS.find((id) => CLOUDS[id] === machine.cloud) ?? 'own',
    arch: machine.arch,
    vcpuIs: machine.vcpu_is,
    packetsPerSec: machine.max_pps,
    memorySource: machine.allocatable_memory_mib === undefined ? memorySource(false) : machine.source,
    usdPerHourAs: { reserved: machine.reserved_usd_hour, spot: machine.spot_usd_hour },
    region: machine.region,
    priceDate: machine.price_date,
    priceSource: machine.source,
    bareMetal: false,
    source: machine.source,
  }
}

/** At the price of that way of buying; without one where none is known. */
export function bought<T extends Instance>(instance: T, purchase: Purchase = 'on-demand'): T {
  return purchase === 'on-demand' ? instance : { ...instance, purchase, usdPerHour: instance.usdPerHourAs?.[purchase] }
}

/** A machine that is planned with must have the price that was asked for. */
export function requirePrice(instance: Instance, purchase: Purchase | undefined): void {
  if (purchase === undefined || purchase === 'on-demand' || instance.usdPerHour !== undefined) return
  throw new UserError(
    `no ${purchase} price of ${instance.type} is known: ` +
      'the catalogue has prices on demand, and spot prices of Google Cloud',
    `Give it with --machines (${purchase}_usd_hour), with its day.`,
  )
}
