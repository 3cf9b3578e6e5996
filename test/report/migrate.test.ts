// Reports of earlier versions, stored as these wrote them: they read as today's, and give the verdicts that they gave.
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readRun } from '../../src/report/read.ts'
import { root } from '../support/pages.ts'
import { refusalOf } from '../support/refusal.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const folder = join(root, 'fixtures/reports')
const stored = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))

const WORDS = ['verdict', 'mode', 'pairing', 'metric', 'definition', 'of', 'file', 'category', 'categoryBy', 'binding']

/** What results had not yet then, or had otherwise. */
const ADDED = ['requestsNeeded', 'doubts']

/** What a result is made of without its sentences, which may be put otherwise. */
function figures(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return WORDS.includes(key) ? value : undefined
  if (Array.isArray(value)) return value.map((part) => figures(part, key)).filter((part) => part !== undefined)
  // The last bits are those of the solver.
  if (typeof value === 'number') return Number(value.toPrecision(12))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => {
      const kept = ADDED.includes(name) ? undefined : figures(part, name)
      return kept === undefined ? [] : [[name, kept]]
    }),
  )
}

for (const name of ['paired.json', 'paired.baseline.json', 'paired.gateway.json']) {
  cpSync(join(folder, name), join(dir.file('pair'), name))
}

describe('a report of an earlier version', () => {
  it.each([
    ['compare-one-file', ['bench', 'compare', 'paired.json']],
    ['compare-split', ['bench', 'compare', 'paired.baseline.json', 'paired.gateway.json']],
    ['compare-apart', ['bench', 'compare', 'direct.json', 'gateway.json']],
    ['compare-own-floor', ['bench', 'compare', 'direct.json', 'paired.json', '--allow-different']],
    ['compare-aa', ['bench', 'compare', 'aa.json', '--noise', 'aa.json']],
    ['history', ['bench', 'history', '.', '--metric', 'latency.p50']],
    ['history-of-pair', ['bench', 'history', dir.file('pair')]],
    ['slo-mix', ['slo', 'check', 'mix.json']],
    ['slo-named', ['slo', 'check', 'gateway.json', '--category', 'chat-short']],
    ['plan-check', ['plan', 'check', '--against', 'gateway.json']],
  ])('gives what it gave: %s', async (name, args) => {
    const { stdout, stderr } = await kt([...args, '--json'], {}, folder)
    expect(stderr).toBe('')
    expect(figures(JSON.parse(stdout))).toEqual(figures(stored(`figures/${name}.json`)))
  })

  it('calibrates no plan where the gateway was not the limit, as a report of today would not', async () => {
    const args = ['plan', '--input-peak', '80M', '--output-peak', '10M', '--from-bench', 'paired.json']
    const { code, stderr } = await kt(args, {}, folder)
    expect(code).toBe(2)
    expect(stderr).toContain('paired.json: its requests did not wait for the gateway')
  })

  it('has its first arm, its baseline and the blocks of each where they are today', () => {
    const old = stored('paired.json')
    const run = readRun(join(folder, 'paired.json'))
    expect(run).toMatchObject({
      schema: 'kt.bench/2',
      runId: old.arms.pairId,
      pairing: 'block',
      ...{ name: 'gateway', role: 'gateway', gateway: 'kt reference gateway', url: old.target.url },
      target: { endpoint: 'chat', model: 'gpt-4o-mini', stream: true },
      totals: old.totals,
      baseline: { name: 'direct', role: 'direct', url: old.arms.baselineUrl, totals: old.arms.baseline.totals },
    })
    for (const { name, blocks } of [run, run.baseline ?? run]) {
      const own = old.blocks.filter(({ arm }: { arm: string }) => arm === name)
      expect(own.length).toBeGreaterThan(0)
      expect(blocks.map((block) => ({ arm: name, ...block }))).toEqual(own)
    }
    expect(readRun(join(folder, 'mix.json')).categories).toEqual(stored('mix.json').categories)
    expect(readRun(join(folder, 'aa.json')).baseline).toMatchObject({ name: 'target', role: 'gateway' })
    expect(readRun(join(folder, 'paired.gateway.json'))).toMatchObject({ pairing: 'block', name: 'gateway' })
    expect(readRun(join(folder, 'direct.json')).pairing).toBeUndefined()
  })

  it('may have names of still earlier ones, in both arms', () => {
    const old = stored('paired.json')
    const { oneWayMs, ...rest } = old
    const delays = { request: oneWayMs.requestPath, response: oneWayMs.responsePath }
    const analyses = { planned: [10], taken: [{ pairs: 10, verdict: 'pass' }], alphaPass: 0.0125, alphaFail: 0.001 }
    const renamed = ({ idleFirst, ...totals }: Record<string, unknown>) => ({ ...totals, rested: idleFirst })
    const { oneWayMs: _, ...baseline } = old.arms.baseline
    const older = {
      ...rest,
      legsMs: delays,
      looks: analyses,
      totals: renamed(old.totals),
      arms: { ...old.arms, baseline: { ...baseline, legsMs: delays, totals: renamed(baseline.totals) } },
    }
    const run = readRun(join(folder, 'paired.json'))
    const same = { ...run, interimAnalyses: analyses, baseline: { ...run.baseline, oneWayMs } }
    const read = readRun(dir.write('older.json', older))
    expect(read).toEqual({ ...same, baseline: { ...same.baseline, interimAnalyses: analyses } })
  })

  it('keeps what became of answers with the arm that may have changed them', () => {
    const agreement = { compared: 5, every: 1, differing: 0, changed: 0, askedAgain: 0, notRepeated: 0 }
    const told = { ...agreement, blocks: [{ index: 0, compared: 5, changed: 0 }] }
    const run = readRun(dir.write('told.json', { ...stored('paired.json'), agreement: told }))
    expect([run.agreement, run.baseline?.agreement]).toEqual([told, undefined])
  })

  it('is refused where it holds a name of today beside its former one, or a key that nobody knows', () => {
    const old = stored('gateway.json')
    const counts = { sent: 1, failed: 0 }
    const refusal = (report: object) => refusalOf(() => readRun(dir.write(`${Math.random()}.json`, report))).message
    const both = { ...old, totals: { ...old.totals, rested: counts, idleFirst: counts } }
    expect(refusal(both)).toContain('rested')
    expect(refusal({ ...old, gossip: 1 })).toContain('gossip')
    expect(refusal({ ...old, url: 'http://a' })).toContain('url')
    expect(refusal({ ...old, arms: { ...old.arms, gossip: 1 } })).toContain('gossip')
    expect(refusal({ ...old, target: { ...old.target, gossip: 1 } })).toContain('gossip')
    expect(refusal({ ...old, totals: { ...old.totals, sent: 61, failed: 1 } })).toContain('contradicts itself')
  })
})
