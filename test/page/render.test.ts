// Pages of the recorded reports: every plot has its table, the numbers are the report's, the policy is the page's.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { benchDocument } from '../../src/page/bench-document.ts'
import { compareDocument } from '../../src/page/compare-document.ts'
import { plotsOf } from '../../src/page/document.ts'
import { MOST_BYTES } from '../../src/page/fit.ts'
import { readDocument } from '../../src/page/read.ts'
import { renderPage } from '../../src/page/render.ts'
import { drawSvg } from '../../src/plots/engine.ts'
import type { Plot } from '../../src/plots/plot.ts'
import { readRun } from '../../src/report/read.ts'
import { armsApart } from '../../src/report/runs.ts'
import { compareReports } from '../../src/verdict/compare.ts'

const PAIRED = 'fixtures/reports/paired.json'
const PROGRAM = 'export const a = "</script>"'

const run = readRun(PAIRED)
const MANY = Array.from({ length: 9 }, () => benchDocument(run))
const page = renderPage([benchDocument(run)], PROGRAM)

describe('the page of a paired run', () => {
  test('has the plots of both arms, each with its table of numbers', () => {
    const plots = plotsOf(benchDocument(run))
    expect(plots.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['latency-cdf', 'latency-tail', 'overhead', 'timeline', 'blocks']),
    )
    for (const { id, table, says, panels } of plots) {
      expect(table.rows.length, id).toBeGreaterThan(0)
      expect(
        table.rows.every((row) => row.length === table.head.length),
        id,
      ).toBe(true)
      expect(says, id).toMatch(/\.$/)
      expect(panels.flatMap(({ series }) => series).length, id).toBeGreaterThan(0)
      expect(page).toContain(`data-plot="${id}"`)
      expect(page).toContain(`<summary>Table: `)
    }
  })

  test('tells the numbers of the report, as they are', () => {
    const arms = [run, run.baseline].flatMap((arm) => (arm ? [arm] : []))
    expect(arms).toHaveLength(2)
    for (const { latencyMs } of arms) {
      for (const value of [latencyMs?.p50, latencyMs?.p99, latencyMs?.max])
        expect(page).toContain(`data-value="${value}"`)
    }
    for (const { totalMs } of run.overhead) expect(page).toContain(`data-value="${totalMs.p99}"`)
    for (const { p99 } of run.series) if (p99 !== null) expect(page).toContain(`data-value="${p99}"`)
  })

  test('lets its own program run and nothing else, and asks the network for nothing', () => {
    const code = /<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? ''
    expect(code).toBe('export const a = "<\\/script>"')
    const hash = createHash('sha256').update(code).digest('base64')
    expect(page).toContain(`default-src &#39;none&#39;`)
    expect(page).toContain(`script-src &#39;sha256-${hash}&#39;`)
    expect(page.replaceAll(/xmlns(?::\w+)?="[^"]*"/g, '')).not.toMatch(/(?:src|href)="https?:/)
  })
})

test('a name in a report is text wherever it stands, in drawings too', () => {
  const evil = '<script>alert(1)</script>'
  const hostile = benchDocument({
    ...run,
    name: evil,
    gateway: evil,
    target: { ...run.target, model: evil },
    command: evil,
  })
  const text = renderPage([hostile], PROGRAM)
  expect(text).not.toContain('<script>alert')
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

describe('a page of much', () => {
  /** As large as the program that a page carries. */
  const LARGE = `/* ${'x'.repeat(600_000)} */`
  const [block] = run.blocks
  if (!block) throw new Error('the recorded run has blocks')
  const blocks = Array.from({ length: 3_000 }, (_, index) => ({ ...block, index }))

  test('stays under 1 MB: it has fewer rows and points, and says so', () => {
    const document = benchDocument({ ...run, blocks })
    const whole = plotsOf(document).find(({ id }) => id === 'blocks')
    expect(whole?.table.rows).toHaveLength(3_000)
    const text = renderPage([document], LARGE)
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES)
    expect(text).toMatch(/To keep the page small, \d+ of 3,000 rows are in it/)
    // What is short is whole.
    expect(text).toContain(`data-value="${run.latencyMs?.p99}"`)
  })

  test('keeps the highest point of what it leaves out', () => {
    const high = 987_654
    const rows = Array.from({ length: 5_000 }, (_, index) => ({ at: index, value: index === 3_333 ? high : index % 7 }))
    const [plot] = plotsOf(benchDocument(run))
    if (!plot) throw new Error('the recorded run has plots')
    const points = rows.map(({ at, value }) => [at, value] as const)
    const many: Plot = {
      ...plot,
      panels: [
        {
          y: { name: 'y', unit: 'plain', scale: 'linear' },
          series: [{ kind: 'dots', name: 'many', color: 0, points }],
        },
      ],
      table: {
        head: ['at', 'value'],
        rows: rows.map(({ at, value }) => [`${at}`, { value, text: 'a text'.repeat(9) }]),
      },
    }
    const text = renderPage([{ ...benchDocument(run), sections: [{ title: 'Many', plots: [many] }] }], LARGE)
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES)
    const drawn = JSON.parse(/id="kt-plots">(.*?)<\/script>/.exec(text)?.[1] ?? '')
    const kept = drawn[0].panels[0].series[0].points
    expect(kept.length).toBeLessThanOrEqual(400)
    expect(kept).toContainEqual([3_333, high])
  })

  test('leaves its plots to its script where fewer points are not enough', () => {
    const few = Array.from({ length: 2 }, () => benchDocument(run))
    const [drawn, left] = [few, MANY].map((documents) => renderPage(documents, LARGE))
    expect(drawn).toMatch(/<div class="still"><svg /)
    expect(left).not.toMatch(/<svg /)
    expect(left).toContain('The script of this page draws it.')
    const plots = JSON.parse(/id="kt-plots">(.*?)<\/script>/.exec(left ?? '')?.[1] ?? '')
    expect(plots).toHaveLength(MANY.flatMap(plotsOf).length)
    expect(Buffer.byteLength(left ?? '')).toBeLessThan(MOST_BYTES)
  })

  test('is refused where nothing makes it small enough', () => {
    const documents = Array.from({ length: 20 }, () => benchDocument(run))
    expect(() => renderPage(documents, LARGE)).toThrow(/the page would take \d\.\d MB, and a page stays under 1 MB/)
  })
})

test('every plot is a well-formed drawing: no attribute ends early', () => {
  for (const plot of plotsOf(benchDocument(run))) {
    const tags = drawSvg(plot, 860).match(/<[^>]*>/g) ?? []
    expect(tags.length).toBeGreaterThan(20)
    for (const tag of tags) expect(tag).toMatch(/^<(?:\/\w+|\w+(?:\s+[\w:-]+="[^"<]*")*\s*)\/?>$/)
  }
})

test('numbers of a table stand under each other, and texts at the left', () => {
  const facts = {
    caption: 'both',
    table: {
      head: ['', 'n', 'why'],
      rows: [
        ['a', { value: 1, text: '1' }, 'b'],
        ['c', '-', 'd'],
      ],
    },
  }
  const text = renderPage([{ ...benchDocument(run), sections: [{ title: 'T', tables: [facts] }] }], PROGRAM)
  expect(text).toContain('<th scope="col" class="number">n</th><th scope="col">why</th>')
  expect(text).toContain('<td data-value="1">1</td><td>b</td>')
  expect(text).toContain('<td class="number">-</td><td>d</td>')
})

test('several documents of one page have anchors of their own', () => {
  const text = renderPage([benchDocument(run), benchDocument(run)], PROGRAM)
  const ids = [...text.matchAll(/<figure id="([^"]+)"/g)].map(([, id]) => id)
  expect(ids.length).toBe(2 * plotsOf(benchDocument(run)).length)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a comparison has the verdict, the figures of both and their distributions', () => {
  const apart = armsApart(run)
  if (!apart) throw new Error('the recorded run has two arms')
  const comparison = compareReports(apart.baseline, apart.gateway, {
    files: { baseline: 'a.json', gateway: 'b.json' },
    noGate: false,
    budgetMs: 7,
    maxRegression: { ms: 0.5, share: 0.1 },
    thresholds: [],
    primary: true,
    allowDifferent: false,
  })
  const document = compareDocument(comparison, apart)
  expect(document.sentences.map(({ verdict }) => verdict)).toEqual(
    comparison.gate?.checks.map(({ verdict }) => verdict),
  )
  expect(plotsOf(document).map(({ id }) => id)).toEqual(expect.arrayContaining(['latency-cdf', 'overhead', 'blocks']))
  const text = renderPage([document], PROGRAM)
  for (const { baseline, gateway } of comparison.rows) {
    expect(text).toContain(`data-value="${baseline}"`)
    expect(text).toContain(`data-value="${gateway}"`)
  }
})

test('a file that has no page is refused by its name', () => {
  expect(() => readDocument('package.json')).toThrow('not a report of kt bench')
})
