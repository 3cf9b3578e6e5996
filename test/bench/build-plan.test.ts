// What a run of two arms sends beyond what was asked for, decided before it begins.
import { expect, it } from 'vitest'
import { buildPlan, printPreflight } from '../../src/bench/build-plan.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import type { NamedTarget } from '../../src/bench/targets.ts'

const target = {
  origin: 'http://127.0.0.1:1',
  path: '/v1/chat/completions',
  shownUrl: 'http://127.0.0.1:1',
  isPublic: false,
}
const targets: NamedTarget[] = [
  ['gateway', target],
  ['direct', target],
]

function plan(requests: number, concurrency: number) {
  return planOf({ requests: String(requests), concurrency: String(concurrency) })
}

function planOf(asked: Record<string, string>) {
  const url = 'http://127.0.0.1:1'
  const values = { url, 'baseline-url': url, ...asked }
  const { target, request, load } = parseBenchOptions({ values })
  return buildPlan(target, request, load, targets)
}

it('leaves out the first of a connection in a block where that is at most half as many again', () => {
  expect(plan(1_000, 10)).toMatchObject({ blocks: 20, excludeIdleFirst: true })
  expect(plan(200, 10)).toMatchObject({ blocks: 10, excludeIdleFirst: true })
  expect(plan(199, 10)).toMatchObject({ blocks: 10, excludeIdleFirst: false })
  expect(plan(20, 5)).toMatchObject({ excludeIdleFirst: false })
})

it('says where the API key goes, unless it stays on this machine', () => {
  const told = (origin: string, asked: Record<string, string>): string => {
    const { arms, ...rest } = planOf({ requests: '5', ...asked })
    const lines: string[] = []
    printPreflight({ ...rest, arms: arms.map((arm) => ({ ...arm, origin })) }, targets, (line) => lines.push(line))
    return lines.join('\n')
  }
  const key = { 'api-key': 'sk-secret' }
  expect(told('https://gateway.test', key)).toBe('The API key goes to gateway.test.')
  expect(told('http://10.0.0.5:8000', key)).toBe('The API key goes to 10.0.0.5:8000 in the clear.')
  expect(told('http://127.0.0.1:1', key)).toBe('')
  expect(told('https://gateway.test', {})).toBe('')
})

it('says before it begins how long both arms take together', () => {
  const told = (asked: Record<string, string>, only = targets): string => {
    const lines: string[] = []
    printPreflight({ ...planOf(asked), arms: planOf(asked).arms.slice(0, only.length) }, only, (line) =>
      lines.push(line),
    )
    return lines.join('\n')
  }
  expect(told({ rps: '100', duration: '60s', warmup: '200' })).toMatch(
    /^2 arms in turns, 60 s on each: at least 124 s in all, with the warm-up\.\nEach of the 40 blocks .*\n.*on top/,
  )
  expect(told({ rps: '100', requests: '500', warmup: '0' })).toContain('5.0 s on each: at least 10 s in all')
  // How long a number of requests takes in a closed loop is not known.
  expect(told({ requests: '500' })).toBe('')
  expect(told({ duration: '60s' }, targets.slice(0, 1))).toBe('')
})
