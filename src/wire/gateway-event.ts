/**
 * An event of the gateway, the record of one request: the gateway writes one JSON object a line, and `kt events` and
 * the event file's readers take it. Milliseconds have three decimals. The record holds nothing that a client or a model
 * wrote except the model's name, and never a key.
 */
import { z } from 'zod'

const nullableNumber = z.number().nullable()

const eventSchema = z.object({
  ts: z.string().describe('when the response ended, ISO 8601'),
  request_id: z.string(),
  tenant: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  endpoint: z.string(),
  status: z.number(),
  stream: z.boolean(),
  latency_ms: z.number().describe("from the request's full arrival to the response's end"),
  ttft_ms: nullableNumber.describe('to the first visible token; null where there was none, or no stream'),
  overhead_ms: z.number().describe("the gateway's own time, without hold"),
  overhead: z.record(z.string(), z.number()).describe('by component'),
  upstream_ms: z.number(),
  input_tokens: nullableNumber.describe("the provider's usage; null where the provider did not report it"),
  output_tokens: nullableNumber,
  cache: z.enum(['hit', 'miss', 'bypass']),
  policy: z.record(z.string(), z.string()).describe('what each policy did'),
  attempts: z.number(),
  trace_id: z.string().optional(),
  span_id: z.string().optional(),
  parent_span_id: z.string().optional(),
  error: z.string().optional(),
  dropped_before: z.number().describe('events lost on the way to this reader since the event before'),
})

export type GatewayEvent = z.output<typeof eventSchema>

const FIELDS = Object.entries(eventSchema.shape)
export const EVENT_FIELDS = FIELDS.map(([name]) => name)
/** Fields that hold fields: components of the overhead, names of policies. */
export const NESTED_FIELDS = FIELDS.flatMap(([name, schema]) => (schema instanceof z.ZodRecord ? [name] : []))

/** A reader keeps fields that it does not know. */
const readableEvent = eventSchema.loose()

/** Undefined for a line that is no event: cut off by a full disk, or of another program. */
export function parseEvent(line: string): GatewayEvent | undefined {
  try {
    return readableEvent.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
