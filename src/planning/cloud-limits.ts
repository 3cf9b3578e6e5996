/** Reads what the clouds allow on the way to the internet: profiles/sizing/cloud-limits.yaml. */
import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { positiveNumber } from '../parse/quantity.ts'
import type { CloudLimits } from '../plan/nat.ts'
import { packaged } from '../system/machine.ts'

const limitsSchema = z
  .strictObject({
    nat: z.strictObject({
      connections_per_address: positiveNumber,
      addresses: z.int().positive(),
      gbps: z.number().positive().optional(),
      packets_per_sec: positiveNumber.optional(),
    }),
    internet: z
      .strictObject({
        small_below_vcpu: z.int().positive(),
        small_gbps: z.number().positive(),
        share: z.number().positive().max(1),
      })
      .optional(),
    source: z.string(),
    date: z.string(),
  })
  .transform(
    ({ nat, internet, source, date }): CloudLimits => ({
      nat: {
        connectionsPerAddress: nat.connections_per_address,
        addresses: nat.addresses,
        gbps: nat.gbps,
        packetsPerSec: nat.packets_per_sec,
      },
      internet: internet && {
        smallBelowVcpu: internet.small_below_vcpu,
        smallGbps: internet.small_gbps,
        share: internet.share,
      },
      source,
      date,
    }),
  )

/** Undefined of a cloud that is not in the table. */
export function limitsOf(cloud: string): CloudLimits | undefined {
  const path = packaged('profiles', 'sizing', 'cloud-limits.yaml')
  return readYaml(path, z.record(z.string(), limitsSchema), 'file of limits of clouds')[cloud.toLowerCase()]
}
