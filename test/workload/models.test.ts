// Several models in one run: shares by weight, the same prompts for each, and a row for each in the report.
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { bench } from '../../src/api/index.ts'
import { buildPlan } from '../../src/bench/build-plan.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { namedTargets } from '../../src/bench/targets.ts'
import { startJitWarmupProvider } from '../../src/load/jit-warmup-provider.ts'
import { renderBenchMarkdown } from '../../src/output/bench-markdown.ts'
import { modelSection } from '../../src/output/group-tables.ts'
import { makePage } from '../../src/output/table.ts'
import { primaryRun } from '../../src/report/runs.ts'
import { benchReportSchema } from '../../src/report/schema.ts'
import { modelShares } from '../../src/workload/models.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { httpServer } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'
import { messageOf } from '../support/refusal.ts'

const refused = (values: Record<string, unknown>) => messageOf(() => parseBenchOptions({ values }))

describe('--model', () => {
  it.each([
    ['gpt-4o', [{ name: 'gpt-4o', weight: 1 }]],
    ['a=3,b=1', [3, 1].map((weight, i) => ({ name: 'ab'[i], weight }))],
    ['a, b', ['a', 'b'].map((name) => ({ name, weight: 1 }))],
    ['org/base:lora=v2', [{ name: 'org/base:lora=v2', weight: 1 }]],
    [
      'lora=v2=0.5,b',
      [
        { name: 'lora=v2', weight: 0.5 },
        { name: 'b', weight: 1 },
      ],
    ],
  ])('%s', (text, shares) => {
    expect(modelShares.parse(text)).toEqual(shares)
  })

  it.each([
    ['', '--model: must not be empty'],
    ['a,', "'a,' is neither a model nor several"],
    ['a=0,b', 'is neither a model nor several'],
    ['a=-1', 'is neither a model nor several'],
    ['a,a=2', "'a' stands there twice"],
  ])('%s is refused', (model, message) => {
    expect(refused({ model })).toContain(message)
  })

  it('several go with neither a trace nor conversations', () => {
    expect(refused({ model: 'a,b', turns: '3' })).toContain('several models do not go with --turns')
    expect(refused({ model: 'a,b', trace: 't.csv' })).toContain('several models do not go with --trace')
  })

  it.each([[{ prompt: 'Hi' }], [{ 'input-tokens': 'uniform(5,50)', 'output-tokens': '7' }], [{ workload: 'mix' }]])(
    'asks for each by its weight, in otherwise equal requests: %o',
    (what) => {
      const make = (model: string) => requestMaker(parseBenchOptions({ values: { ...what, model } }).request)
      const [mixed, ...single] = [make('a=3,b=1'), make('a'), make('b')]
      const asked = Array.from({ length: 4_000 }, (_, i) => {
        const { body } = mixed('aaaaaaaa', i)
        const { model } = JSON.parse(body) as { model: string }
        return model
      })
      expect(asked.filter((model) => model === 'a').length / asked.length).toBeCloseTo(0.75, 1)
      if ('workload' in what) return
      for (let i = 0; i < 50; i++) {
        const alone = single[asked[i] === 'a' ? 0 : 1]
        expect(mixed('aaaaaaaa', i).body).toBe(alone?.('aaaaaaaa', i).body)
      }
    },
  )
})

it('a run reports a row for each model, and the table shows it', async () => {
  const provider = await quickProvider()
  try {
    const { report } = await bench({
      url: provider.url,
      model: 'small=3,large=1',
      stream: true,
      requests: 80,
      maxTokens: 3,
      ...{ jitWarmup: false, floor: false },
    })
    const run = primaryRun(benchReportSchema.parse(report))
    expect(run.target.model).toBe('small, large')
    expect(run.load.workload.models).toEqual([
      { name: 'small', weight: 3 },
      { name: 'large', weight: 1 },
    ])
    const rows = run.models ?? []
    expect(rows.map(({ model }) => model)).toEqual(['small', 'large'])
    const [small, large] = rows.map(({ sent }) => sent)
    expect((small ?? 0) + (large ?? 0)).toBe(80)
    expect(small).toBeGreaterThan(large ?? 0)
    for (const { sent, successful, latencyMs, ttftMs, overheadMs } of rows) {
      expect(successful).toBe(sent)
      expect([latencyMs?.count, ttftMs?.count, overheadMs?.count]).toEqual([sent, sent, sent])
    }
    const table = modelSection(run, makePage(100, false))
    expect(table).toMatch(/By model \(ms\):.*Requests.*Latency P50.*TTFT P50.*Overhead P50/)
    expect(table).toMatch(/small: +\d+/)
    expect(table).toMatch(/large: +\d+/)
    const markdown = renderBenchMarkdown(report, null)
    expect(markdown).toMatch(/by model \(ms\)/)
    for (const row of ['small, latency', 'small, overhead', 'large, latency']) expect(markdown).toContain(`| ${row} |`)
  } finally {
    await provider.close()
  }
})

describe('Gemini, whose address names the model and whether to stream', () => {
  it('is asked for each model at an address of its own', async () => {
    const provider = await quickProvider()
    const asked = new Map<string, number>()
    const front = await httpServer((incoming, response) => {
      const path = incoming.url ?? ''
      asked.set(path, (asked.get(path) ?? 0) + 1)
      const headers = { 'content-type': 'application/json' }
      const up = request(provider.url + path, { method: 'POST', headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      incoming.pipe(up)
    })
    try {
      const shape = { endpoint: 'gemini', model: 'small=3,large=1', requests: 80, maxTokens: 3 } as const
      const more = { concurrency: 4, jitWarmup: false, floor: false } as const
      const { report } = await bench({ url: front.origin, ...shape, ...more })
      const run = primaryRun(benchReportSchema.parse(report))
      expect(run.totals).toMatchObject({ sent: 80, failed: 0 })
      expect(run.url).toBe(`${front.origin}/v1beta/models`)
      expect([...asked.keys()].filter((path) => path.startsWith('/v1')).sort()).toEqual([
        '/v1beta/models/large:generateContent',
        '/v1beta/models/small:generateContent',
      ])
      const byModel = Object.fromEntries((run.models ?? []).map(({ model, sent }) => [model, sent]))
      expect((byModel.small ?? 0) + (byModel.large ?? 0)).toBe(80)
      expect(byModel.small).toBeGreaterThan(byModel.large ?? 80)
      for (const model of ['small', 'large']) {
        // The warm-up and the validating request come on top.
        expect(asked.get(`/v1beta/models/${model}:generateContent`)).toBeGreaterThanOrEqual(byModel[model] ?? 81)
      }
    } finally {
      await front.close()
      await provider.close(0)
    }
  })

  it('takes a mix that streams a part of its answers, the JIT warm-up too', async () => {
    const {
      target,
      request: workload,
      load,
    } = parseBenchOptions({
      values: { url: 'http://127.0.0.1:1', endpoint: 'gemini', workload: 'mix' },
    })
    const plan = buildPlan(target, workload, load, namedTargets(target))
    const warmup = await startJitWarmupProvider(plan)
    await warmup.close()
    const streams = workload.parts.map(({ stream }) => stream)
    expect(new Set(streams).size).toBe(2)
    for (const paths of [plan.arms[0]?.paths, warmup.paths]) {
      expect(paths?.map((path) => path.includes(':stream'))).toEqual(streams)
    }
  })

  it.each([
    ['http://127.0.0.1:1/v1beta/models/a:generateContent', '--url names the model a, but --model is b'],
    ['http://127.0.0.1:1/a/route/of/its/own', 'has several models'],
  ])('is not asked for several at %s', async (url, why) => {
    await expect(bench({ url, endpoint: 'gemini', model: 'a,b', requests: 2 })).rejects.toThrow(why)
  })
})
