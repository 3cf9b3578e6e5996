// What a run sends to a collector, read by the official definitions of OTLP (the published protocol buffers): they
// refuse a field that they do not know and a value of another type.
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { needPeer } from '../setup/peers/find.ts'
import { startCollector, type TestCollector } from '../support/collector.ts'
import { kt, parseBench } from '../support/kt.ts'

/** Ids are hexadecimal in OTLP's JSON, and base64 in that of protocol buffers. */
const READ = `
import base64, json, re, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
def as_base64(m): return '"%s":"%s"' % (m[1], base64.b64encode(bytes.fromhex(m[2])).decode())
metrics, traces = [re.sub(r'"(traceId|spanId)":"([0-9a-f]+)"', as_base64, b) for b in json.load(sys.stdin)]
m = json_format.Parse(metrics, ExportMetricsServiceRequest())
t = json_format.Parse(traces, ExportTraceServiceRequest())
print(json.dumps({
  'metrics': [[x.name, x.WhichOneof('data'), len(getattr(x, x.WhichOneof('data')).data_points)]
    for r in m.resource_metrics for s in r.scope_metrics for x in s.metrics],
  'spans': [[len(x.trace_id), len(x.span_id), x.name, (x.end_time_unix_nano - x.start_time_unix_nano) / 1e6]
    for r in t.resource_spans for s in r.scope_spans for x in s.spans],
}))
`
const parsed = z.object({
  metrics: z.array(z.tuple([z.string(), z.string(), z.number()])),
  spans: z.array(z.tuple([z.number(), z.number(), z.string(), z.number()])),
})

let collector: TestCollector
beforeAll(async () => {
  collector = await startCollector()
})
afterAll(() => collector.close())

test('metrics and the slowest requests of a run', async () => {
  const { command, env } = await needPeer('opentelemetry-proto')
  const args = ['bench', '-n', '60', '--json', '--otlp', collector.url.href, '--otlp-traces', '5']
  const { code, stdout, stderr } = await kt(args)
  expect(code, stderr).toBe(0)
  const run = parseBench(stdout)
  expect(collector.taken.map(({ path }) => path)).toEqual(['/v1/metrics', '/v1/traces'])
  const input = JSON.stringify(collector.taken.map(({ body }) => body))
  const said = parsed.parse(JSON.parse(execFileSync(command, ['-c', READ], { env, input, encoding: 'utf8' })))
  expect(said.metrics).toContainEqual(['kt_bench_latency_seconds', 'summary', 2])
  expect(said.metrics).toContainEqual(['kt_bench_requests', 'sum', 2])
  expect(said.metrics).toContainEqual(['gen_ai.client.operation.duration', 'histogram', 2])
  expect(said.spans.map(([trace, span, name]) => [trace, span, name])).toEqual(
    Array.from({ length: 5 }, () => [16, 8, `chat ${run.target.model}`]),
  )
  // The slowest of both arms: none is faster than either arm's median.
  const medians = [run, run.baseline].map((arm) => arm?.latencyMs?.p50 ?? Number.NaN)
  for (const [, , , ms] of said.spans) expect(ms).toBeGreaterThan(Math.min(...medians))
}, 600_000)
