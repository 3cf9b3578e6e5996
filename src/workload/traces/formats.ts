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

export interface CsvColumns {
  at: string
  /** Of a time that is a plain number. */
  unit: TimeUnit
  input: string
  output: string
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
  /** The member that holds the time. */
  at: string
  /** Tokens of a block of the prompt whose hash a row tells. */
  blockTokens?: number
  /** Whether the first object of a file is of this format. */
  matches(object: JsonObject): boolean
  /** Hands on the requests of an object: none where it is about something else. */
  read(object: JsonObject, path: string, line: number, sink: RowSink): void
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
    columns: { at: 'startTime', unit: 's', input: 'prompt_tokens', output: 'completion_tokens' },
    zeroFails: true,
    byEnd: true,
  },
]

/** In the order in which they are tried. */
export const JSON_FORMATS: readonly JsonFormat[] = [
  { name: 'OpenTelemetry', at: 'startTimeUnixNano', zeroFails: true, byEnd: true, matches: isOtlp, read: readSpans },
  {
    name: 'Kong',
    at: 'started_at',
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'started_at' in object && ('latencies' in object || 'ai' in object),
    read: readKong,
  },
  {
    name: 'LiteLLM',
    at: 'startTime',
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'startTime' in object && 'prompt_tokens' in object,
    read: readLitellm,
  },
  {
    name: 'Envoy',
    at: 'start_time',
    zeroFails: true,
    byEnd: true,
    matches: (object) => 'start_time' in object,
    read: readEnvoy,
  },
  {
    name: 'Bailian',
    at: 'timestamp',
    zeroFails: false,
    byEnd: false,
    blockTokens: 16,
    matches: (object) => 'chat_id' in object && 'timestamp' in object,
    read: lengthsReader('s'),
  },
  {
    name: 'Mooncake',
    at: 'timestamp',
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
    at: columns.at,
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
