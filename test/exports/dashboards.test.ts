// Every metric and label that the dashboards in examples/grafana/ ask for is in what kt and its gateway really serve.
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { LiveMetrics } from '../../src/bench/live-metrics.ts'
import { toOpenMetrics } from '../../src/exports/openmetrics.ts'
import { readReport } from '../../src/report/read.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { parseExposition } from '../../src/watch/exposition.ts'
import { answerOf, chat, gatewayWith } from '../reference-gateway/policies/support/gateway.ts'
import { post } from '../reference-gateway/support/harness.ts'
import { answerJson, bodyOf } from '../reference-gateway/support/upstream.ts'
import { planFor } from '../support/engine.ts'

const TEXT = 'Write to bob@example.org now'

const dashboardSchema = z.object({
  title: z.string(),
  uid: z.string(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      type: z.enum(['row', 'timeseries', 'stat']),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })) }),
})

function readDashboard(name: string) {
  return dashboardSchema.parse(JSON.parse(readFileSync(`examples/grafana/${name}.json`, 'utf8')))
}

/** By the name of a metric, the labels that its lines have. */
type Exposed = Map<string, Set<string>>

function exposed(...pages: readonly (readonly [text: string, openMetrics: boolean])[]): Exposed {
  const found: Exposed = new Map()
  for (const [text, openMetrics] of pages) {
    const parsed = parseExposition(text, openMetrics)
    if (!parsed.ok) throw new Error(parsed.why)
    for (const { name, labels } of parsed.value) {
      const known = found.get(name) ?? new Set(['instance', '__name__'])
      for (const label of Object.keys(labels)) known.add(label)
      found.set(name, known)
    }
  }
  return found
}

const METRIC = /\b(?:kt|process|nodejs)_[a-z_0-9]+/g

/** What an expression asks for that is not there. */
function missing(expr: string, metrics: Exposed): string[] {
  const names = [...new Set(expr.match(METRIC))]
  if (names.length === 0) return [`${expr}: no metric`]
  const selected = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/([a-z_]+)(?:=~|!=|=)"/g)].map(([, label = '']) => label),
  )
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, inside = '']) => inside.split(', '))
  return names.flatMap((name) => {
    const labels = metrics.get(name)
    if (!labels) return [name]
    return [...selected, ...grouped].filter((label) => !labels.has(label)).map((label) => `${name}{${label}}`)
  })
}

const expressionsOf = ({ panels }: ReturnType<typeof readDashboard>): string[] =>
  panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

describe.each(['bench', 'gateway'])('%s.json', (name) => {
  const dashboard = readDashboard(name)

  test('panels have numbers of their own and lie beside each other', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
    for (const { type, targets } of panels) expect(targets.length > 0).toBe(type !== 'row')
  })

  test('its variables are those that its queries name', () => {
    const named = new Set(expressionsOf(dashboard).flatMap((expr) => expr.match(/\$\w+/g) ?? []))
    named.delete('$__rate_interval')
    const variables = dashboard.templating.list.map(({ name: variable }) => `$${variable}`)
    expect([...named, '$datasource'].sort()).toEqual(variables.sort())
  })
})

test('bench.json asks for what a run serves and writes', async () => {
  const live = new LiveMetrics()
  const url = await live.listen({ host: '127.0.0.1', port: 0 })
  const stamped = new Histogram()
  stamped.record(1_000)
  const ended = () => [{ stamped, selfReported: {} }]
  live.begin(planFor('http://127.0.0.1:1', { requests: 1, load: { mode: 'closed', concurrency: 1 } }), 'run-1', ended)
  live.heard({ phase: 'measuring', inFlight: 1, elapsedUs: 1 })
  live.add(Float64Array.from([0, 0, 0, 0, 0, 1, 1, 1, 2, 8, 0]), 0)
  const served = await (await fetch(url)).text()
  await live.close()
  const readings = [{ second: 0, cpuPercent: 1, rssBytes: 1 }]
  const processes = [{ name: 'gateway', pid: 1, endedAtS: null, everyS: 1, readings }]
  const recorded = readReport('fixtures/reports/paired.json')
  const [first, ...others] = recorded.arms
  const check = { metric: 'overhead.p99', op: '<' as const, limit: 7, value: 1, ci95: null, why: 'below it' }
  const gate = { verdict: 'pass' as const, checks: [{ ...check, verdict: 'pass' as const }] }
  // As of a stream: the recorded run had none.
  const arms: typeof recorded.arms = [{ ...first, ttftMs: first.latencyMs }, ...others]
  const written = toOpenMetrics({ ...recorded, arms, gate, processes })
  const metrics = exposed([served, false], [written, true])
  const dashboard = readDashboard('bench')
  expect(expressionsOf(dashboard).flatMap((expr) => missing(expr, metrics))).toEqual([])
  for (const { query } of dashboard.templating.list.slice(1)) {
    for (const name of query.match(METRIC) ?? []) expect(metrics.get(name)?.has('run'), name).toBe(true)
  }
})

test('gateway.json asks for what the reference gateway serves', async () => {
  const policies = [{ name: 'pii', type: 'output_filter', kind: 'pii', action: 'redact' }]
  const answer: RequestListener = async (request, response) => {
    const { stream } = z.object({ stream: z.boolean().optional() }).parse(JSON.parse(await bodyOf(request)))
    if (!stream) return answerJson(response, answerOf(TEXT))
    const delta = { choices: [{ index: 0, delta: { content: TEXT }, finish_reason: null }] }
    const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of [delta, end]) response.write(`data: ${JSON.stringify(event)}\n\n`)
    response.end('data: [DONE]\n\n')
  }
  const gateway = await gatewayWith(policies, answer, { admin_port: 0, cache: { enabled: true } })
  const stream = { ...chat(TEXT), stream: true }
  for (const body of [{ ...chat(TEXT), temperature: 0 }, stream]) await post(gateway, body)
  const served = await (await fetch(new URL('/metrics', gateway.adminUrl))).text()
  const metrics = exposed([served, false])
  const dashboard = readDashboard('gateway')
  expect(expressionsOf(dashboard).flatMap((expr) => missing(expr, metrics))).toEqual([])
  expect(missing('rate(kt_requests_total{colour="red"}[1m])', metrics)).toEqual(['kt_requests_total{colour}'])
  expect(missing('kt_nothing', metrics)).toEqual(['kt_nothing'])
})
