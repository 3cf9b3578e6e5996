// Requests that repeat others: a cache is met at the rate that was asked for, and hits are told apart from misses.
import { describe, expect, it } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { startGateway } from '../../reference-gateway/gateway.ts'
import { bench } from '../../src/api/index.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { renderBenchMarkdown } from '../../src/output/bench-markdown.ts'
import { cacheSection } from '../../src/output/group-tables.ts'
import { makePage } from '../../src/output/table.ts'
import { readCacheVerdict } from '../../src/overhead/cache-status.ts'
import { primaryRun } from '../../src/report/runs.ts'
import { benchReportSchema } from '../../src/report/schema.ts'
import { poolNumbers } from '../../src/workload/repeats.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { quickProvider } from '../support/provider.ts'
import { messageOf } from '../support/refusal.ts'

describe('--cache-hits', () => {
  const { request } = parseBenchOptions({ values: { 'cache-hits': '30%', 'input-tokens': 'uniform(5,50)' } })
  const make = requestMaker(request)

  it('repeats requests of its pool, whole, at the asked rate, the same ones in every run and arm', () => {
    const pool = poolNumbers({ share: 0.3, pool: 20 }).map((number) => make('aaaaaaaa', number).body)
    expect(new Set(pool).size).toBe(20)
    const sent = Array.from({ length: 10_000 }, (_, i) => make('aaaaaaaa', i))
    const repeats = sent.filter(({ repeats }) => repeats)
    expect(repeats.length / sent.length).toBeCloseTo(0.3, 1)
    expect(new Set(repeats.map(({ body }) => body))).toEqual(new Set(pool))
    // All others are their own.
    expect(new Set(sent.map(({ body }) => body)).size).toBe(sent.length - repeats.length + 20)
    const other = requestMaker(request)
    for (let i = 0; i < 100; i++) {
      expect(other('bbbbbbbb', i).body).toBe(sent[i]?.body.replace('ktaaaaaaaa', 'ktbbbbbbbb'))
      expect(make.classOf(i)).toEqual({ category: sent[i]?.category, model: undefined })
    }
  })

  it.each<[Record<string, unknown>, string]>([
    [{ 'cache-hits': '0' }, '--cache-hits: must be above 0 and below 100%'],
    [{ 'cache-hits': '100%' }, '--cache-hits: must be above 0 and below 100%'],
    [{ 'cache-hits': '30%', nonce: false }, '--cache-hits needs the nonce'],
    [{ 'cache-hits': '30%', turns: '3' }, '--cache-hits does not go with --turns'],
    [{ 'cache-hits': '30%', trace: 't.csv' }, '--cache-hits does not go with --trace'],
  ])('%o is refused', (values, message) => {
    expect(messageOf(() => parseBenchOptions({ values }))).toContain(message)
  })
})

describe('whether a cache answered', () => {
  const nonce = 'a'.repeat(16)
  const stamp = (attempt: number, providerUs: number, of = nonce) => ({ nonce: of, attempt, providerUs })
  it.each([
    ['a header says so', { headers: { 'x-kt-cache': 'hit' } }, false, { hit: true, toldBy: 'header' }],
    ['a header says no', { headers: { 'x-cache': 'Miss from x' } }, true, { hit: false, toldBy: 'header' }],
    ['the stamp of another', { stamp: stamp(1, 5, 'b'.repeat(16)) }, false, { hit: true, toldBy: 'stamp' }],
    ['the stamp of the first time', { stamp: stamp(1, 5) }, true, { hit: true, toldBy: 'stamp' }],
    ['a stamp of its own', { stamp: stamp(1, 5) }, false, { hit: false, toldBy: 'stamp' }],
    ['asked again', { stamp: stamp(2, 5) }, true, { hit: false, toldBy: 'stamp' }],
    ['quicker than the provider', { stamp: stamp(2, 500) }, true, { hit: true, toldBy: 'stamp' }],
    ['nothing, repeated', {}, true, { hit: true, toldBy: 'schedule' }],
    ['nothing, its own', {}, false, { hit: false, toldBy: 'schedule' }],
  ])('%s', (_what, known, isRepeat, verdict) => {
    const answer = { headers: {}, stamp: undefined, sentUs: 0, endUs: 100, ...known }
    expect(readCacheVerdict(answer, nonce, isRepeat)).toEqual(verdict)
  })
})

it.each([
  ['whole answers', false],
  ['streams', true],
])(
  'the cache of the reference gateway hits what was repeated, and a hit costs less than a miss: %s',
  async (_, stream) => {
    const provider = await quickProvider({ ttftMs: 20 })
    const gateway = await startGateway(
      gatewayConfigSchema({}).parse({
        gateway: {
          ...{ host: '127.0.0.1', port: 0, admin_port: 0 },
          providers: [{ name: 'p', base_url: `${provider.url}/v1` }],
          warmup: { enabled: false },
          cache: { enabled: true },
        },
      }),
    )
    try {
      const { report } = await bench({
        ...{ url: gateway.url, baselineUrl: provider.url },
        ...{ stream, cacheHits: '30%', extraBody: '{"temperature":0}', maxTokens: 3 },
        ...{ requests: 200, jitWarmup: false, floor: false, compareAnswers: false },
      })
      const run = primaryRun(benchReportSchema.parse(report))
      const { cache, baseline } = run
      expect(run.load.workload.cacheHits).toEqual({ share: 0.3, pool: 20 })
      expect(cache?.toldBy).toEqual({ header: 200, stamp: 0, schedule: 0 })
      expect(cache?.hits.sent).toBe(cache?.repeated)
      expect(cache?.hitRate).toBeCloseTo(0.3, 1)
      expect((cache?.hits.sent ?? 0) + (cache?.misses.sent ?? 0)).toBe(200)
      expect(cache?.hits.latencyMs?.p50).toBeLessThan(cache?.misses.latencyMs?.p50 ?? 0)
      // Those of hits are theirs alone.
      expect(run.overhead[0]?.count).toBe(cache?.misses.overheadMs?.count)
      expect(cache?.hits.overheadMs?.count).toBe(cache?.hits.sent)
      // The provider has no cache: its stamps say so, and each of them counts.
      expect(baseline?.cache).toMatchObject({ hitRate: 0, repeated: cache?.repeated, toldBy: { stamp: 200 } })
      expect(baseline?.overhead[0]?.count).toBe(200)
      const text = cacheSection(run, makePage(100, false))
      expect(text).toMatch(/By cache \(ms\): +Requests/)
      expect(text).toMatch(/hits: +\d+/)
      expect(text).toContain("hits, by the gateway's header")
      const markdown = renderBenchMarkdown(report, null)
      for (const row of ['hits, overhead', 'misses, latency']) expect(markdown).toContain(`| ${row} |`)
    } finally {
      await gateway.close()
      await provider.close()
    }
  },
)
