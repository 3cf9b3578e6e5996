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

export const PURCHASES = ['on-demand', 'reserved', 'spot'] as const
export type Purchase = (typeof PURCHASES)[number]

const CLOUDS: Record<string, Instance['cloudId']> = { AWS: 'aws', GCP: 'gcp', Azure: 'azure' }
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
  return readYaml(path, machinesSchema, 'file of machines').machines.map(toInstance)
}

function toInstance(machine: z.output<typeof machineSchema>): Instance {
  return {
    type: machine.type,
    family: machine.family ?? machine.type,
    cloud: machine.cloud,
    cloudId: CLOUDS[machine.cloud] ?? 'own',
    arch: machine.arch,
    vcpuIs: machine.vcpu_is,
    vcpu: machine.vcpu,
    memoryGib: machine.memory_gib,
    bandwidthGbps: (machine.baseline_mbps ?? machine.max_mbps ?? 0) / 1_000,
    bandwidthIs: machine.baseline_mbps === undefined ? 'ceiling' : 'baseline',
    packetsPerSec: machine.max_pps,
    allocatableMillicores: allocatableMillicores(machine.vcpu),
    allocatableMemoryBytes:
      machine.allocatable_memory_mib === undefined
        ? allocatableMemoryBytes(machine.memory_gib)
        : machine.allocatable_memory_mib * 1024 ** 2,
    memorySource: machine.allocatable_memory_mib === undefined ? memorySource(false) : machine.source,
    usdPerHour: machine.usd_hour,
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
    `no ${purchase} price of ${instance.type} is known: the catalogue has prices on demand`,
    `Give it with --machines (${purchase}_usd_hour), with its day.`,
  )
}
