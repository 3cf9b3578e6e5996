/**
 * An event of the gateway, the record of one request: the gateway writes one JSON object a line, and `kt events` and
 * the event file's readers take it. Milliseconds have three decimals. The record holds nothing that a client or a model
 * wrote except the model's name, and never a key.
 */
import { z } from 'zod'

const nullableNumber = z.number().nullable()

export const eventSchema = z.object({
  ts: z.string().describe('when the response ended, ISO 8601'),
  request_id: z.string().describe('id of the request, as the response has it'),
  tenant: z.string().describe('name of the key that the client used'),
  provider: z.string().nullable().describe('provider that answered; null where none was asked'),
  model: z.string().nullable().describe('model that was asked for; null where none was named'),
  endpoint: z.string().describe('which API was asked'),
  status: z.number().describe('status of the response; 0: it was broken off before one'),
  stream: z.boolean().describe('whether the answer was streamed'),
  latency_ms: z.number().describe("from the request's full arrival to the response's end"),
  ttft_ms: nullableNumber.describe('to the first visible token; null where there was none, or no stream'),
  overhead_ms: z.number().describe("the gateway's own time, without hold"),
  overhead: z.record(z.string(), z.number()).describe('by component'),
  upstream_ms: z.number().describe('waiting for the provider'),
  input_tokens: nullableNumber.describe("the provider's usage; null where the provider did not report it"),
  output_tokens: nullableNumber.describe('the same of the output'),
  cache: z.enum(['hit', 'miss', 'bypass']).describe('what the response cache did'),
  policy: z.record(z.string(), z.string()).describe('what each policy did'),
  attempts: z.number().describe('requests to providers; 0: none'),
  trace_id: z.string().optional().describe('W3C trace, where traces are sent'),
  span_id: z.string().optional().describe("the gateway's own span"),
  parent_span_id: z.string().optional().describe("the client's span, where it told one"),
  error: z.string().optional().describe('code of what went wrong'),
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
