// The OpenMetrics text of a run, read by the parser of Prometheus' own client library: its families, types and figures.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { toOpenMetrics } from '../../src/exports/openmetrics.ts'
import { readReport } from '../../src/report/read.ts'
import type { BenchReport } from '../../src/report/schema.ts'
import { needPeer } from '../setup/peers/find.ts'

const READ = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.read())
print(json.dumps([[f.name, f.type, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]))
`
const FETCHES_WITHIN_MS = 600_000
const sample = z.tuple([z.string(), z.record(z.string(), z.string()), z.number()])
const parsed = z.array(z.tuple([z.string(), z.string(), z.array(sample)]))

async function parse(report: BenchReport) {
  const { command, env } = await needPeer('prometheus-client')
  const said = execFileSync(command, ['-c', READ], { env, input: toOpenMetrics(report), encoding: 'utf8' })
  return new Map(parsed.parse(JSON.parse(said)).map(([name, type, samples]) => [name, { type, samples }] as const))
}

const NAMES = ['paired', 'mix', 'direct', 'gateway']

test.each(NAMES)(
  '%s: the parser finds every family and the figures of the report',
  async (name) => {
    const model = 'a"} 1\n# EOF\\'
    const recorded = readReport(`fixtures/reports/${name}.json`)
    const families = await parse({ ...recorded, target: { ...recorded.target, model } })
    expect(families.get('kt_bench_requests')?.type).toBe('counter')
    const latency = families.get('kt_bench_latency_seconds')
    expect(latency?.type).toBe('summary')
    for (const arm of recorded.arms) {
      const p99 = latency?.samples.find(([, labels]) => labels.arm === arm.name && labels.quantile === '0.99')
      expect(p99?.[1].model).toBe(model)
      expect(p99?.[2]).toBe((arm.latencyMs?.p99 ?? Number.NaN) / 1_000)
    }
  },
  FETCHES_WITHIN_MS,
)
