// A mixed run judged by the categories of its requests: measured by `kt bench`, read again by `kt slo check`.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ArmResult, Run } from '../../src/report/schema.ts'
import { httpServer, OK_BODY } from '../support/engine.ts'
import { type Ended, readBench } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const WAIT_MS = 60
/** Batch work is slow here; its header identifies it, as for a gateway. */
const server = await httpServer((request, response) => {
  const slow = request.headers['x-kt-category'] === 'batch'
  request.resume().on('end', () => setTimeout(() => response.end(OK_BODY), slow ? WAIT_MS : 0))
})
const own = dir.file('slo.yaml')
const output = dir.file('mix.json')
const profile = (name: string, tokens: string, rest = '') =>
  dir.write(name, `about: a\nsource: b\ninput_tokens: ${tokens}\n${rest}`)

let ended: Ended
let report: Run

beforeAll(async () => {
  profile('chat.yaml', 'uniform(100,5000)')
  profile('work.yaml', '50', 'headers: { x-kt-category: batch }\n')
  const mix = dir.write(
    'mix.yaml',
    'about: a\nsource: b\nmix:\n  - { workload: ./chat.yaml, weight: 3 }\n  - { workload: ./work.yaml, weight: 1 }\n',
  )
  dir.write(
    'slo.yaml',
    `categories:
  batch: { match: { header: { X-KT-Category: batch } }, p99: 20ms, timeout: 10s }
  long: { match: { min_prompt_tokens: 4000 }, timeout: 10s }
  short: { match: { max_prompt_tokens: 3000 }, p50: 5s, timeout: 10s, objective: 90% }
`,
  )
  const load = ['--requests', '600', '--concurrency', '4', '--workload', mix]
  ended = await kt(['bench', '--url', server.origin, ...load, '--slo', 'auto', '--slo-file', own, '--output', output])
  report = readBench(output)
})
afterAll(async () => {
  await server.close()
  dir.remove()
})

const check = (...args: string[]) => kt(['slo', 'check', ...args])

describe('kt bench --slo auto', () => {
  it('judges every category by itself: what is slow fails, what is quick passes', () => {
    expect(ended.code).toBe(3)
    const verdicts = Object.fromEntries((report.slo ?? []).map(({ category, verdict }) => [category, verdict]))
    expect(verdicts).toMatchObject({ batch: 'fail', short: 'pass' })
    expect(ended.stdout).toContain('SLO by category')
    expect(ended.stdout).toMatch(/^ {2}batch .* 0 % +100\.00x +FAIL$/m)
    expect(ended.stdout).toMatch(/requests without a category: not judged/)
    expect(Math.max(...ended.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('keeps the requests of each category, and counts goodput from single requests', () => {
    const categories = report.categories ?? []
    expect(categories.map(({ name }) => name)).toEqual(['batch', 'long', 'short'])
    const [batch] = categories
    expect(batch?.latencyMs?.p50).toBeGreaterThan(WAIT_MS * 0.9)
    expect(batch?.blocks.every(({ within }) => within === 0)).toBe(true)
    const classified = categories.reduce((total, { sent }) => total + sent, 0)
    // Prompts of 3,001 to 3,999 tokens are of no category.
    expect(classified).toBeLessThan(600)
    expect(classified).toBeGreaterThan(400)
    expect(report.slo?.every(({ goodput }) => goodput?.exact)).toBe(true)
  })

  it('refuses what no rule can match, before anything is sent', async () => {
    const none = dir.write('none.yaml', 'categories: { a: { match: { endpoint: embeddings }, timeout: 1s } }')
    const { code, stderr } = await kt(['bench', '--url', server.origin, '--slo', 'auto', '--slo-file', none])
    expect(stderr).toContain('no category matches these requests')
    expect(code).toBe(2)
  })
})

describe('kt slo check of a mixed report', () => {
  it('has a row for each category, as the bench had', async () => {
    const { code, stdout } = await check(output, '--slo', own)
    expect(code).toBe(3)
    expect(stdout).toMatch(/^ {2}batch .* FAIL$/m)
    expect(stdout).toMatch(/^ {2}short .* PASS$/m)
    const json = JSON.parse((await check(output, '--slo', own, '--json')).stdout)
    expect(json).toMatchObject({ categoryBy: 'request', verdict: 'fail', requests: 600 })
    expect(json.slo).toEqual(report.slo)
  })

  it('judges one of them by its own requests', async () => {
    const { code, stdout } = await check(output, '--slo', own, '--category', 'short')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\d+ of 600 requests/)
  })

  it('takes other targets than those of the run, from its histograms', async () => {
    const other = dir.write(
      'other.yaml',
      'categories: { batch: { p99: 5s, timeout: 10s }, long: { timeout: 10s }, short: { timeout: 10s } }',
    )
    const { stdout } = await check(output, '--slo', other, '--category', 'batch', '--json')
    expect(JSON.parse(stdout).slo).toMatchObject([{ category: 'batch', goodput: { share: 1 } }])
  })

  it('says so when the file does not know a category of the run', async () => {
    const { code, stderr } = await check(output)
    expect(stderr).toContain("there is no category 'long'")
    expect(code).toBe(2)
  })

  it.each<[string, (changed: ArmResult) => void, string]>([
    [
      'a count within targets',
      (r) => Object.assign(r.categories?.[0]?.blocks[0] ?? {}, { within: 1_000 }),
      'batch: block 0',
    ],
    ['a quantile', (r) => Object.assign(r.categories?.[0]?.latencyMs ?? {}, { p99: 1 }), 'batch latencyMs: p99 is'],
    ['requests', (r) => Object.assign(r.categories?.[1] ?? {}, { sent: 1 }), 'long: the outcomes do not add up'],
  ])('refuses a report in which %s of a category was edited', async (_, edit, words) => {
    const changed = JSON.parse(readFileSync(output, 'utf8'))
    edit(changed.arms[0])
    const { code, stderr } = await check(dir.write('edited.json', JSON.stringify(changed)), '--slo', own)
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(words)
    expect(code).toBe(2)
  })
})
