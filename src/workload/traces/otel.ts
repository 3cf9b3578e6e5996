/**
 * Rows of OpenTelemetry spans: OTLP as JSON, a batch a line as the collector's file exporter writes it or a whole
 * document, or a span a line. Spans of a call to a model have the token usage of the GenAI conventions; others, and
 * those of agents and tools, which sum up the calls within them, are passed over.
 */
import { firstMember, isObject, type JsonObject } from './members.ts'
import { type RowSink, tokensOf } from './row.ts'
import { lastedUs, type TimeUnit, timeOf } from './times.ts'

const INPUT = ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt']
const OUTPUT = ['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion']
const STARTS: readonly [name: string, unit: TimeUnit][] = [
  ['startTimeUnixNano', 'ns'],
  ['start_time_unix_nano', 'ns'],
  ['start_time', 's'],
  ['startTime', 's'],
]
/** Operations that hold calls to models instead of being one. */
const AROUND = new Set(['invoke_agent', 'create_agent', 'execute_tool', 'invoke_workflow'])

export function isOtlp(object: JsonObject): boolean {
  return (
    Array.isArray(object.resourceSpans) ||
    (isObject(object.attributes) || Array.isArray(object.attributes) ? STARTS.some(([name]) => name in object) : false)
  )
}

export function readSpans(object: JsonObject, path: string, line: number, sink: RowSink): void {
  if (!Array.isArray(object.resourceSpans)) {
    readSpan(object, path, line, sink)
    return
  }
  for (const resource of objects(object.resourceSpans)) {
    for (const scope of objects(resource.scopeSpans ?? resource.instrumentationLibrarySpans)) {
      for (const span of objects(scope.spans)) readSpan(span, path, line, sink)
    }
  }
}

function readSpan(span: JsonObject, path: string, line: number, sink: RowSink): void {
  const attributes = attributesOf(span.attributes)
  const input = firstMember(attributes, INPUT)
  const output = firstMember(attributes, OUTPUT)
  if (!input || AROUND.has(String(attributes['gen_ai.operation.name']))) return
  const [name, unit] = STARTS.find(([each]) => each in span) ?? ['startTimeUnixNano', 'ns']
  const atUs = timeOf(span[name], unit, path, line, name)
  sink(
    line,
    atUs,
    tokensOf(input.value, path, line, input.name),
    output ? tokensOf(output.value, path, line, output.name) : 0,
    undefined,
    { endUs: lastedUs(atUs, span[name.replace('start', 'end')], unit) },
  )
}

/** OTLP's list of keys and values as an object. */
function attributesOf(attributes: unknown): JsonObject {
  if (isObject(attributes)) return attributes
  const pairs = objects(attributes).map(({ key, value }) => {
    const { intValue, doubleValue, stringValue } = isObject(value) ? value : {}
    return [String(key), intValue ?? doubleValue ?? stringValue] as const
  })
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined))
}

function objects(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
