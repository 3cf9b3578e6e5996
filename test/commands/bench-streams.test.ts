// A gateway that holds each token until the next one comes: its whole answers are in time, and its tokens are not.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { type BadGateway, badGateway, lookingAhead } from '../doctor/bad-gateway.ts'
import { kt, readBench } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'

const GAP_MS = 20
const dir = tempDir()
let provider: SimulatedProvider
let gateway: BadGateway

beforeAll(async () => {
  provider = await quickProvider({ ttftMs: 5, gapMs: GAP_MS })
  gateway = await badGateway(provider, { rewrites: lookingAhead })
})
afterAll(async () => {
  await gateway.close()
  await provider.close(0)
  dir.remove()
})

it('its hold is a row of its own, judged by --budget-hold, and no part of what is added', async () => {
  const path = dir.file('held.json')
  const { code, stdout } = await kt([
    ...['bench', '--url', gateway.url, '--stream', '--max-tokens', '12', '--requests', '60', '--concurrency', '2'],
    ...['--no-floor', '--budget-hold', '5ms', '--explain', '--output', path],
  ])
  const report = readBench(path)
  expect(report.holdMs?.p50).toBeGreaterThan(GAP_MS * 0.7)
  expect(report.addedPerTokenMs?.p50).toBeLessThan(GAP_MS / 2)
  expect(report.addedTtftMs?.p50).toBeLessThan(GAP_MS / 2)
  expect(report.gate?.checks).toMatchObject([{ metric: 'hold.p99', limit: 5, verdict: 'fail' }])
  expect(code).toBe(3)
  expect(stdout).toMatch(/^ {4}hold +\d.*< 5\.00 over$/m)
  const compared = await kt(['bench', 'compare', path, path, '--budget-hold', '5ms', '--mode', 'overhead', '--explain'])
  expect(compared.stdout).toMatch(/^Hold P99/m)
})
