// A run that is watched from all sides at once: a process, a page of metrics, and that page is the run's own.
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { kt, parseBench } from '../support/kt.ts'

const LINUX = process.platform === 'linux'

test('processes and scraped series are in the report, by its seconds; the page ends with the run', async () => {
  const page = `http://127.0.0.1:${await freePort()}/metrics`
  const watch = LINUX ? ['--arm-pid', `tests=${process.pid}`] : []
  const metrics = ['requests*', 'overhead*'].flatMap((name) => ['--scrape-metrics', `kt_bench_live_${name}`])
  const scrape = ['--scrape', `self=${page}`, ...metrics]
  const length = ['-d', '3s', '--rps', '60', '--warmup', '10', '--json']
  const { code, stdout, stderr } = await kt([
    'bench',
    ...length,
    '--metrics-listen',
    new URL(page).host,
    ...scrape,
    ...watch,
  ])
  expect(code, stderr).toBe(0)
  const { processes = [], scraped = [], series } = parseBench(stdout)
  const last = series.at(-1)?.second ?? 0
  const [told] = scraped
  expect(told).toMatchObject({ name: 'self', url: page, everyS: 1 })
  expect(told?.seconds.length).toBeGreaterThanOrEqual(2)
  // An answer may come in a second of which there is no whole one any more.
  expect(Math.max(...(told?.seconds ?? []))).toBeLessThanOrEqual(last + 1)
  const rates = (told?.series ?? []).flatMap(({ kind, values }) => (kind === 'rate' ? values : []))
  expect(Math.max(...rates.map((rate) => rate ?? 0))).toBeGreaterThan(5)
  const overhead = (told?.series ?? []).filter(({ metric }) => metric === 'kt_bench_live_overhead_seconds')
  expect(overhead.map(({ labels }) => `${labels.arm} ${labels.definition}`)).toContain('gateway provider-stamped')
  if (LINUX) {
    expect(processes).toMatchObject([{ name: 'tests', pid: process.pid, endedAtS: null }])
    expect(processes[0]?.readings.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...(processes[0]?.readings ?? []).map(({ rssBytes }) => rssBytes))).toBeGreaterThan(20 * 1024 ** 2)
  }
  expect(stderr).toContain(`Metrics of the run, while it goes on: ${page}`)
  await expect(fetch(page)).rejects.toThrow()
})

test.runIf(LINUX)('a process that is not there: one sentence, and nothing is sent', async () => {
  const { code, stdout, stderr } = await kt(['bench', '-n', '5', '--arm-pid', 'gateway=4194304'])
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain('kt: --arm-pid gateway=4194304: there is no process 4194304 that kt may read')
})
