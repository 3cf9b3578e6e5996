/** Several gateways of one run against each other: their order, and which differences are proven. */
import { z } from 'zod'
import { count, ms, p50, p99 } from './fields.ts'

const places = z.tuple([count, count]).describe('the places that it has at best and at worst, by what is proven')

export const rankingSchema = z
  .strictObject({
    of: z
      .enum(['overhead', 'latency'])
      .describe('overhead: by the stamps of the provider; latency: where not all answers have them'),
    errorProbability: z.number().describe('that any of what is called proven is not so (Holm)'),
    gateways: z
      .array(z.strictObject({ name: z.string().describe('of the arm'), p50, p99, rankP50: places, rankP99: places }))
      .describe('the lowest P50 first; without arms that were dropped or answered nothing'),
    differences: z
      .array(
        z.strictObject({
          quantile: z.enum(['p50', 'p99']).describe('of what'),
          lower: z.string().describe('name of the arm that has less'),
          higher: z.string().describe('name of the other one'),
          differenceMs: ms.describe('by how much'),
          ci95: z
            .tuple([z.number(), z.number()])
            .nullable()
            .describe('its interval, by pairs of blocks; null: unknown'),
          p: z.number().nullable().describe('of both sides, by pairs of blocks; null: they tell nothing'),
          proven: z.boolean().describe('whether it is one beyond chance, among all these'),
          why: z.string().nullable().describe('why the blocks tell nothing'),
        }),
      )
      .describe('of each pair of gateways, at P50 and at P99'),
  })
  .describe('several gateways against each other')
