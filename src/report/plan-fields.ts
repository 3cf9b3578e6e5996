/** The values that plans are made of: rates, counts, figures with their sources, ranges. */
import { z } from 'zod'

export const positive = z.number().positive()
export const rate = z.number().nonnegative()
export const whole = z.int().positive()

export const source = z.string().describe('where it comes from')
export const date = z.string().describe('date of the source')
export const name = z.string().describe('its name')
export const why = z.string().describe('the reason in words')
export const usdPerMonth = rate.describe('dollars a month')

/** What the peak takes, and the ends of the redundancy. */
export const peakToMax = {
  peak: whole.describe('for the peak alone'),
  min: whole.describe('with the least redundancy'),
  max: whole.describe('with the most redundancy'),
}

export const constraintName = z
  .enum(['cpu', 'events', 'packets', 'network', 'connections', 'descriptors', 'ports', 'memory'])
  .describe('name of a constraint')
export const binding = constraintName.describe('the constraint that needs the most')
export const nextToBind = constraintName.describe('the one that needs the most after it')
export const perWorkerOrNode = z.enum(['worker', 'node']).describe('what it is counted in')

const FIGURE_ORIGINS = ['vendor default', 'assumed', 'given', 'calibrated', 'what if'] as const

export const figureSchema = z.strictObject({
  value: positive.describe('the figure'),
  from: z.enum(FIGURE_ORIGINS).describe('what kind of a source it has'),
  source,
  date: date.optional(),
  low: positive.optional().describe('lower end of its interval, where it was measured'),
  high: positive.optional().describe('upper end of its interval'),
})

export const inputSchema = z.strictObject({
  name,
  value: z.number().describe('its value'),
  unit: z.string().describe('its unit; empty: none'),
  from: z.enum([...FIGURE_ORIGINS, 'demand', 'catalogue', 'computed']).describe('what kind of a source it has'),
  source,
  date: date.optional(),
})
