/**
 * The formats of traces: one table. A CSV format is known by its titles, a JSON format by the members of its first
 * object; anything else by what --trace-columns names.
 *   Azure/AzurePublicDataset (2023 and 2024); HPMLL/BurstGPT; kvcache-ai/Mooncake, the form that vLLM's timed traces
 *   and AIPerf's fixed schedules share; alibaba-edu/qwen-bailian-usagetraces-anon; OpenTelemetry's GenAI conventions;
 *   access logs of LiteLLM, Envoy AI Gateway and Kong AI Gateway.
 */
import { readEnvoy, readKong, readLitellm } from './access-logs.ts'
import { type JsonObject, memberAt } from './members.ts'
import { isOtlp, readSpans } from './otel.ts'
import { type RowSink, tokensOf } from './row.ts'
import { type TimeUnit, timeOf } from './times.ts'

/** The titles of the columns, or the names of the members, that a row is read from. */
export interface TraceColumns {
  at: string
  input: string
  output: string
}

export interface CsvColumns extends TraceColumns {
  /** Of a time that is a plain number. */
  unit: TimeUnit
}

interface CommonFormat {
  name: string
  /** An answer of 0 tokens is a failed request, which is left out. */
  zeroFails: boolean
  /** Rows stand in the order in which their requests ended, and are put in that of their beginnings. */
  byEnd: boolean
}

export interface CsvFormat extends CommonFormat {
  columns: CsvColumns
}

export interface JsonFormat extends CommonFormat {
  columns: TraceColumns
  /** Tokens of a block of the prompt whose hash a row tells. */
  blockTokens?: number
  /** Whether the first object of a file is of this format. */
  matches(object: JsonObject): boolean
  /** Hands on the requests of an object: none where it is about something else. */
  read(object: JsonObject, path: string, line: number, sink: RowSink): void
}

const LENGTHS: TraceColumns = { at: 'timestamp', input: 'input_length', output: 'output_length' }
const LITELLM_MEMBERS: TraceColumns = { at: 'startTime', input: 'prompt_tokens', output: 'completion_tokens' }
const SPAN_MEMBERS: TraceColumns = {
  at: 'startTimeUnixNano',
  input: 'gen_ai.usage.input_tokens',
  output: 'gen_ai.usage.output_tokens',
}
const ENVOY_MEMBERS: TraceColumns = { ...SPAN_MEMBERS, at: 'start_time' }
const KONG_MEMBERS: TraceColumns = {
  at: 'started_at',
  input: 'ai.proxy.usage.prompt_tokens',
  output: 'ai.proxy.usage.completion_tokens',
}

export const CSV_FORMATS: readonly CsvFormat[] = [
  {
    name: 'Azure',
    columns: { at: 'TIMESTAMP', unit: 's', input: 'ContextTokens', output: 'GeneratedTokens' },
    zeroFails: false,
    byEnd: false,
  },
  {
    name: 'BurstGPT',
    columns: { at: 'Timestamp', unit: 's', input: 'Request tokens', output: 'Response tokens' },
    zeroFails: true,
    byEnd: false,
  },
  {
    name: 'LiteLLM',
    columns: { ...LITELLM_MEMBERS, unit: 's' },
    zeroFails: true,
    byEnd: true,
  },
]

/** In the order in which they are tried. */
export const JSON_FORMATS: readonly JsonFormat[] = [
  { name: 'OpenTelemetry', columns: SPAN_MEMBERS, zeroFails: true, byEnd: true, matches: isOtlp, read: readSpans },
  {
    name: 'Kong',
    columns: KONG_MEMBERS,
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'started_at' in object && ('latencies' in object || 'ai' in object),
    read: readKong,
  },
  {
    name: 'LiteLLM',
    columns: LITELLM_MEMBERS,
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'startTime' in object && 'prompt_tokens' in object,
    read: readLitellm,
  },
  {
    name: 'Envoy',
    columns: ENVOY_MEMBERS,
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'start_time' in object,
    read: readEnvoy,
  },
  {
    name: 'Bailian',
    columns: LENGTHS,
    zeroFails: false,
    byEnd: false,
    blockTokens: 16,
    matches: (object) => 'chat_id' in object && 'timestamp' in object,
    read: lengthsReader('s'),
  },
  {
    name: 'Mooncake',
    columns: LENGTHS,
    zeroFails: false,
    byEnd: false,
    blockTokens: 512,
    matches: (object) => ['timestamp', 'input_length', 'output_length', 'hash_ids'].some((name) => name in object),
    read: lengthsReader('ms'),
  },
]

/** `timestamp`, `input_length`, `output_length` and, where the trace has them, `hash_ids`. */
function lengthsReader(unit: TimeUnit): JsonFormat['read'] {
  return (object, path, line, sink) => {
    const { hash_ids: ids } = object
    sink(
      line,
      timeOf(object.timestamp, unit, path, line, 'timestamp'),
      tokensOf(object.input_length, path, line, 'input_length'),
      tokensOf(object.output_length, path, line, 'output_length'),
      Array.isArray(ids) && ids.every((id) => typeof id === 'number') ? ids : undefined,
    )
  }
}

/** The format of a user's own columns: of a CSV file by their titles, of JSON lines by members, also within others. */
export function formatOf(columns: CsvColumns): CsvFormat & JsonFormat {
  return {
    name: 'columns',
    zeroFails: false,
    byEnd: false,
    columns,
    matches: () => true,
    read: (object, path, line, sink) =>
      sink(
        line,
        timeOf(memberAt(object, columns.at), columns.unit, path, line, columns.at),
        tokensOf(memberAt(object, columns.input), path, line, columns.input),
        tokensOf(memberAt(object, columns.output), path, line, columns.output),
      ),
  }
}
