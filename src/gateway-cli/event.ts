/** An event of the gateway as its readers take it: one JSON object a line, from its file or its admin port. */
import { z } from 'zod'

const nullableNumber = z.number().nullable()

const eventSchema = z.looseObject({
  ts: z.string(),
  request_id: z.string(),
  tenant: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  endpoint: z.string(),
  status: z.number(),
  stream: z.boolean(),
  latency_ms: z.number(),
  ttft_ms: nullableNumber,
  overhead_ms: z.number(),
  overhead: z.record(z.string(), z.number()),
  upstream_ms: z.number(),
  input_tokens: nullableNumber,
  output_tokens: nullableNumber,
  cache: z.string(),
  policy: z.record(z.string(), z.string()),
  attempts: z.number(),
  trace_id: z.string().optional(),
  span_id: z.string().optional(),
  parent_span_id: z.string().optional(),
  error: z.string().optional(),
  dropped_before: z.number(),
})

export type EventRecord = z.output<typeof eventSchema>

export const EVENT_FIELDS: readonly string[] = Object.keys(eventSchema.shape)
/** Fields that hold fields: components of the overhead, names of policies. */
export const NESTED_FIELDS: readonly string[] = ['overhead', 'policy']
export const COMPONENTS: readonly string[] = [
  'input_policy',
  'routing',
  'cache',
  'inject',
  'acquire',
  'output_policy',
  'events',
  'hold',
]

/** Undefined for a line that is no event: cut off by a full disk, or of another program. */
export function parseEvent(line: string): EventRecord | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
