// Pages in a real Chromium, as kt writes them: they draw at every width without an error or a request, tell the numbers
// of the report, are dark where that is preferred, and every table can be reached by keyboard.
import { readFileSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRun } from '../../src/report/read.ts'
import { needPeer } from '../setup/peers/find.ts'
import { freePort } from '../support/free-port.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const EVIL = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'
const REPORT = dir.file('report.json')
const PAGE = dir.file('page.html')
const MOST_BYTES = 1_000_000
const FETCHES_WITHIN_MS = 600_000

let browser: Browser
beforeAll(async () => {
  const recorded = JSON.parse(readFileSync('fixtures/reports/paired.json', 'utf8'))
  recorded.target.model = EVIL
  dir.write('report.json', recorded)
  const written = await kt(['report', REPORT, '-o', PAGE])
  expect(written).toMatchObject({ code: 0, stdout: '' })
  const { command, env } = await needPeer('chromium')
  const set = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  browser = await chromium.launch({ executablePath: command, env: Object.fromEntries(set), args: ['--no-sandbox'] })
}, FETCHES_WITHIN_MS)

afterAll(async () => {
  await browser?.close()
  dir.remove()
})

interface Opened {
  page: Page
  /** Errors, whatever a console says, dialogs, and requests to anywhere. */
  faults: string[]
}

async function open(width: number, colorScheme: 'light' | 'dark' = 'light', path = PAGE): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
  const faults: string[] = []
  page.on('console', (message) => faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('dialog', (dialog) => faults.push(dialog.message()))
  page.on('request', (request) => request.url().startsWith('file:') || faults.push(request.url()))
  await page.goto(pathToFileURL(path).href)
  await page.locator('.drawn').first().waitFor()
  return { page, faults }
}

/** How wide the drawings are, and how much is drawn. */
function drawings(page: Page): Promise<{ width: number; lines: number }[]> {
  return page
    .locator('figure .live svg')
    .evaluateAll((all) =>
      all.map((svg) => ({ width: svg.getBoundingClientRect().width, lines: svg.querySelectorAll('path').length })),
    )
}

/** The numbers of the table of a plot; null where a cell has none. */
function tableOf(page: Page, id: string): Promise<(number | null)[][]> {
  return page.locator(`[id="${id}"] tbody tr`).evaluateAll((rows) =>
    rows.map((row) =>
      [...row.querySelectorAll('td')].map((cell) => {
        const value = cell.getAttribute('data-value')
        return value === null ? null : Number(value)
      }),
    ),
  )
}

describe.each([360, 800, 1600])('at a width of %i', (width) => {
  test('every plot is drawn for it, nothing is wider than the window, and nothing fails', async () => {
    const { page, faults } = await open(width)
    const figures = await page.locator('figure').count()
    expect(figures).toBeGreaterThanOrEqual(5)
    await expect.poll(async () => (await drawings(page)).length).toBe(figures)
    for (const drawn of await drawings(page)) {
      expect(drawn.width).toBeGreaterThan(Math.min(width, 1200) * 0.8)
      expect(drawn.width).toBeLessThanOrEqual(width)
      expect(drawn.lines).toBeGreaterThan(3)
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    expect(faults).toEqual([])
    await page.close()
  })
})

test('a window that changes its width has its plots drawn anew', async () => {
  const { page, faults } = await open(1600)
  await page.setViewportSize({ width: 400, height: 900 })
  await expect.poll(async () => Math.max(...(await drawings(page)).map(({ width }) => width))).toBeLessThan(400)
  expect(faults).toEqual([])
  await page.close()
})

test('the numbers of its tables are those of the report', async () => {
  const { page } = await open(800)
  const run = readRun(REPORT)
  const arms = [run, run.baseline].flatMap((arm) => (arm?.latencyMs ? [arm.latencyMs] : []))
  expect(arms).toHaveLength(2)
  const rows = await tableOf(page, 'latency-tail')
  expect(rows.map(([count, mean, p50, , p90]) => [count, mean, p50, p90])).toEqual(
    arms.map(({ count, mean, p50, p90 }) => [count, mean, p50, p90]),
  )
  const seconds = await tableOf(page, 'timeline')
  expect(seconds.map(([second, sent, done, failed]) => [second, sent, done, failed])).toEqual(
    run.series.map(({ second, sent, done, failed }) => [second, sent, done, failed]),
  )
  const blocks = await tableOf(page, 'blocks')
  expect(blocks.map(([, sent]) => sent)).toEqual(run.blocks.map(({ sent }) => sent))
  await page.close()
})

test('what a report holds is text: nothing of it runs', async () => {
  const { page, faults } = await open(800)
  expect(await page.locator('dd', { hasText: 'onerror' }).first().textContent()).toContain(EVIL)
  expect(await page.title()).toContain('kt bench')
  expect(await page.locator('img').count()).toBe(0)
  expect(faults).toEqual([])
  await page.close()
})

test('it is dark where that is preferred, drawings too', async () => {
  const colors = async (scheme: 'light' | 'dark') => {
    const { page } = await open(800, scheme)
    const found = await page.evaluate(`[
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.querySelector('figure .live svg text')).fill,
    ]`)
    await page.close()
    return found
  }
  expect(await colors('light')).toEqual(['rgb(255, 255, 255)', 'rgb(86, 97, 114)'])
  expect(await colors('dark')).toEqual(['rgb(18, 22, 28)', 'rgb(163, 173, 187)'])
})

test('the tab key reaches the table of every plot, and Enter opens it', async () => {
  const { page } = await open(800)
  const figures = await page.locator('figure').evaluateAll((all) => all.map(({ id }) => id))
  const opened: string[] = []
  const stops = 4 * figures.length + 10
  for (let stop = 0; stop < stops && opened.length < figures.length; stop++) {
    await page.keyboard.press('Tab')
    const id = await page.evaluate(`document.activeElement.matches('figure summary')
      ? document.activeElement.closest('figure').id : null`)
    if (typeof id !== 'string') continue
    await page.keyboard.press('Enter')
    if (await page.locator(`[id="${id}"] table`).isVisible()) opened.push(id)
  }
  expect(opened).toEqual(figures)
  await page.close()
})

test('a screen reader is told of every plot in a sentence', async () => {
  const { page } = await open(800)
  const labels = await page
    .locator('.plot[role=img]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))
  expect(labels.length).toBe(await page.locator('figure').count())
  for (const label of labels) expect(label).toMatch(/^[A-Z].{20,}\.$/)
  await page.close()
})

test('on paper stand the drawings that came with the page, in light', async () => {
  const { page } = await open(800, 'dark')
  await page.emulateMedia({ media: 'print' })
  expect(await page.locator('.still').first().isVisible()).toBe(true)
  expect(await page.locator('.live').first().isVisible()).toBe(false)
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
  await page.close()
})

test('it is small, and without scripts its plots are there all the same', async () => {
  expect(statSync(PAGE).size).toBeLessThan(MOST_BYTES)
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(pathToFileURL(PAGE).href)
  expect(await page.locator('.still svg').count()).toBe(await page.locator('figure').count())
  expect(await page.locator('.still svg').first().isVisible()).toBe(true)
  await context.close()
})

test('several files make one page, each with its own plots', async () => {
  const several = dir.file('several.html')
  expect(await kt(['report', REPORT, REPORT, '-o', several])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^kt: wrote .*several\.html\n$/),
  })
  const { page, faults } = await open(800, 'light', several)
  expect(await page.locator('article').count()).toBe(2)
  const figures = await page.locator('figure').count()
  await expect.poll(async () => (await drawings(page)).length).toBe(figures)
  expect(faults).toEqual([])
  await page.close()
})

test('a plan and its plots as files are drawn too', async () => {
  const plan = dir.file('plan.html')
  const planned = await kt(['plan', '--input-peak', '80M', '--output-peak', '10M', '--html', plan])
  expect(planned.code).toBe(0)
  const { page, faults } = await open(800, 'light', plan)
  await expect.poll(async () => (await drawings(page)).length).toBeGreaterThanOrEqual(3)
  expect(await page.locator('#constraints, #growth').count()).toBe(2)
  expect(faults).toEqual([])
  await page.close()
  const folder = dir.file('plots')
  const { stderr } = await kt(['report', REPORT, '--svg', folder])
  const files = [...stderr.matchAll(/wrote (\S+\.svg)/g)].map(([, path = '']) => path)
  expect(files.length).toBeGreaterThanOrEqual(5)
  for (const file of files) {
    const drawn = await open(800, 'light', PAGE)
    await drawn.page.goto(pathToFileURL(file).href)
    expect(await drawn.page.locator('path').count(), file).toBeGreaterThan(3)
    expect(await drawn.page.locator('parsererror').count(), file).toBe(0)
    expect(drawn.faults, file).toEqual([])
    await drawn.page.close()
  }
})

/** Of words and of axes. */
const INKS = {
  light: ['rgb(28, 36, 48)', 'rgb(86, 97, 114)'],
  dark: ['rgb(232, 236, 242)', 'rgb(163, 173, 187)'],
}

describe('of a run that was watched', () => {
  const report = dir.file('watched.json')
  const watched = dir.file('watched.html')
  beforeAll(async () => {
    const metrics = new URL(`http://127.0.0.1:${await freePort()}/metrics`)
    const scrape = ['--metrics-listen', metrics.host, '--scrape', `self=${metrics}`]
    const watch = process.platform === 'linux' ? ['--arm-pid', `tests=${process.pid}`] : []
    const { code, stderr } = await kt(['bench', '-d', '3s', '--rps', '60', ...scrape, ...watch, '--output', report])
    expect(code, stderr).toBe(0)
    const recorded = JSON.parse(readFileSync(report, 'utf8'))
    recorded.scraped[0].series[0].labels.job = EVIL
    dir.write('watched.json', recorded)
    expect(await kt(['report', report, '-o', watched])).toMatchObject({ code: 0 })
  })

  test.each([
    { width: 1100, scheme: 'light' },
    { width: 1100, scheme: 'dark' },
    { width: 360, scheme: 'light' },
  ] as const)('$width wide and $scheme it draws what was watched, within its width, and nothing fails', async (at) => {
    const { page, faults } = await open(at.width, at.scheme, watched)
    for (const id of ['timeline', 'scraped-1']) {
      const drawing = page.locator(`[id="${id}"] .live svg`)
      await expect.poll(() => drawing.locator('path').count()).toBeGreaterThan(10)
      const ends = await drawing
        .locator('text')
        .evaluateAll((all) => all.map((text) => text.getBoundingClientRect().right))
      expect(Math.max(...ends), id).toBeLessThanOrEqual(at.width)
      const texts = `[...document.querySelectorAll('[id="${id}"] .live svg text')]`
      expect(await page.evaluate(`[...new Set(${texts}.map((text) => getComputedStyle(text).fill))]`), id).toEqual(
        expect.arrayContaining(INKS[at.scheme]),
      )
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(at.width)
    expect(faults).toEqual([])
    await page.close()
  })

  test('its numbers are those of the report', async () => {
    const { page } = await open(1100, 'light', watched)
    const { processes = [], scraped = [], series } = readRun(report)
    const [told] = scraped
    const metrics = [...Map.groupBy(told?.series ?? [], ({ metric }) => metric).values()]
    const shown = metrics.slice(0, 6).flatMap((lines) => lines.slice(0, 8))
    expect(told?.seconds.length).toBeGreaterThanOrEqual(3)
    expect(await tableOf(page, 'scraped-1')).toEqual(
      told?.seconds.map((second, at) => [second, ...shown.map(({ values }) => values[at])]),
    )
    const seconds = await tableOf(page, 'timeline')
    for (const [index, { readings }] of processes.entries()) {
      const byEnd = (from: number) => seconds.map((row) => row.at(from + index) ?? null)
      const read = (of: 'cpuPercent' | 'rssBytes') =>
        series.map(({ second }) => readings.find((one) => one.second === second)?.[of] ?? null)
      expect(byEnd(-processes.length)).toEqual(read('rssBytes'))
      expect(byEnd(-2 * processes.length)).toEqual(read('cpuPercent'))
    }
    await page.close()
  })
})
