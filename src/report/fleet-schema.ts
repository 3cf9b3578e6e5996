/** The workers that sent a run, as far as they decide what its figures are worth. */
import { z } from 'zod'
import { count, formatName, ktVersionField, ms } from './fields.ts'

export const fleetSchema = z
  .strictObject({
    run: z.string().describe('its name on the broker'),
    beginErrorMs: ms.describe('how far apart two workers may have begun what they were to begin together, at most'),
    faults: z.array(z.string()).describe('workers that were lost, stood still or came late: no verdict stands on them'),
    workers: z
      .array(
        z.strictObject({
          name: z.string().describe('as it was started with'),
          labels: z.record(z.string(), z.string()).optional().describe('as it was started with'),
          node: z.string().describe('version of Node'),
          cores: count.describe('cores that it may use'),
          sent: count.nullable().describe('measured requests; null where nothing is known of them'),
          offsetMs: z.number().nullable().describe('the clock of the coordinator minus its own'),
          offsetErrorMs: ms.nullable().describe('the offset is within this, to either side'),
          driftMs: z.number().nullable().describe('by how much the offset changed over the run'),
          roundTripMs: ms.nullable().describe('to the coordinator and back, at the least'),
          lateMs: ms.nullable().describe('how late it heard of a common start, at most'),
          sendLagP99Ms: ms.nullable().describe('99th percentile of how late it sent requests of an open loop'),
          achievedToOffered: z.number().nullable().describe('rate that it reached over the rate that was asked of it'),
          eventLoopUtilization: z
            .number()
            .nullable()
            .describe('share of the time in which its sending thread was busy'),
          floorMs: z
            .strictObject({ p50: ms.describe('median'), p99: ms.describe('99th percentile') })
            .optional()
            .describe('its own measurement floor, right after the run'),
          pressure: z
            .number()
            .nullable()
            .describe('share of its blocks in which some task of its machine waited for a core, at most'),
          starvedMs: ms.nullable().describe('time of the blocks in which its threads waited for a core'),
        }),
      )
      .describe('each of them'),
  })
  .describe('the fleet that sent, instead of the machine that reports')

export const FLEET_STATUS_SCHEMA = 'kt.fleet.status/1'

/** The contract `kt.fleet.status/1`, what `kt fleet status --json` prints. */
export const fleetStatusSchema = z
  .strictObject({
    schema: formatName(FLEET_STATUS_SCHEMA),
    kt: ktVersionField,
    broker: z.string().describe('the address of the broker'),
    workers: z
      .array(
        z.strictObject({
          name: z.string().describe('as it was started with'),
          labels: z.record(z.string(), z.string()).describe('as it was started with'),
          version: z.string().describe('its version of kt'),
          node: z.string().describe('its version of Node'),
          cores: count.describe('cores that it may use'),
          load: z.number().describe('load average of a minute of its machine'),
          run: z.string().nullable().describe('the run that it works for'),
          offsetMs: z.number().nullable().describe('its clock minus the one of this machine; null: it did not answer'),
          offsetErrorMs: ms.nullable().describe('the offset is within this, to either side'),
          roundTripMs: ms.nullable().describe('to it and back, at the least'),
        }),
      )
      .describe('the workers that answer'),
    kept: z.array(z.string()).describe('runs without a worker of which the broker keeps results, for kt fleet collect'),
  })
  .describe('kt fleet status: the workers that wait at a broker')

export type FleetStatus = z.infer<typeof fleetStatusSchema>
