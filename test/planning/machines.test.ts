// Machines of today and the user's own, ways of buying, ceilings below what is guaranteed, and what others publish.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { renderPlan } from '../../src/output/plan-table.ts'
import { renderInstances } from '../../src/output/planning-tables.ts'
import { parseFlags } from '../../src/parse/parse-flags.ts'
import { isCeiling, rankInstances } from '../../src/plan/instances.ts'
import { instanceFlags, readInstances, selectInstances } from '../../src/planning/instances.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planReport, planRequest } from '../../src/planning/plan-request.ts'
import { PAGE } from '../support/page.ts'
import { planOptions, type Typed } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const PEAKS = { 'input-peak': '80M', 'output-peak': '10M' }

function machines(...lines: string[]): string {
  const path = join(dir.path, `machines-${lines.length}-${lines[0]?.length}.yaml`)
  writeFileSync(path, `machines:\n${lines.map((line) => `  - { ${line} }\n`).join('')}`)
  return path
}

const OWN =
  'type: rack-1, cloud: own racks, vcpu: 64, memory_gib: 256, baseline_mbps: 50000, max_pps: 4M, usd_hour: 1.1, ' +
  'reserved_usd_hour: 0.9, region: cellar, price_date: 2026-11-30, source: our invoice'

const ranked = async (flags: Typed) => {
  const options = parseFlags({ ...PEAKS, ...flags }, instanceFlags, 'kt plan instances', [])
  const { demand, sizing, choices } = await planRequest({ ...options, purchase: undefined })
  const { instances } = selectInstances(options)
  return { rows: rankInstances(demand, sizing, choices, instances), choices }
}

test('the network-optimised and current families of AWS have their baselines, by the same source as the others', () => {
  const byType = new Map(readInstances().instances.map((instance) => [instance.type, instance]))
  expect(
    ['c5n.4xlarge', 'c6in.4xlarge', 'c7gn.4xlarge', 'c8gn.4xlarge', 'c7i.4xlarge'].map((type) => byType.get(type)),
  ).toMatchObject([
    { bandwidthGbps: 15, bandwidthIs: 'baseline', usdPerHour: 0.864 },
    { bandwidthGbps: 25 },
    { bandwidthGbps: 50 },
    { bandwidthGbps: 50 },
    { bandwidthGbps: 6.25 },
  ])
  expect(byType.get('c6gn.2xlarge')).toMatchObject({ bandwidthGbps: 12.5, usdPerHour: 0.3456 })
})

describe('--machines', () => {
  test('a machine of one’s own is planned with, at its price, with its packets as a constraint', async () => {
    const path = machines(OWN)
    const { plan } = await planReport(parsePlanFlags({ ...PEAKS, node: 'rack-1', machines: path }, 'kt plan'))
    expect(plan.nodes).toMatchObject({ type: 'rack-1', cloud: 'own racks', bandwidthGbps: 50, usdPerHour: 1.1 })
    expect(plan.constraints.map(({ name }) => name)).toContain('packets')
    expect(plan.cost?.parts.map(({ name }) => name)).toEqual(['machines'])
    expect(plan.cost?.usdPerMonth).toBeCloseTo(plan.fleet.nodes.steady * 1.1 * 730, 6)
    expect(plan.cost?.prices.source).toContain('bytes of own racks are not priced')
    expect((await ranked({ machines: path })).rows.map(({ instance }) => instance.type)).toContain('rack-1')
  })

  test('it is bought in the way that is asked for; a price that is not known is refused', async () => {
    const path = machines(OWN)
    const reserved = { ...PEAKS, node: 'rack-1', machines: path, purchase: 'reserved' }
    const { plan } = await planReport(parsePlanFlags(reserved, 'kt plan'))
    expect(plan.nodes.usdPerHour).toBe(0.9)
    expect(plan.cost?.parts[0]?.why).toBe('reserved, all month')
    const spot = await laterRefusalOf(() => planRequest(planOptions({ ...reserved, purchase: 'spot' })))
    expect(spot.message).toContain('no spot price of rack-1 is known')
    const shipped = await laterRefusalOf(() => planRequest(planOptions({ ...PEAKS, purchase: 'spot' })))
    expect(shipped.message).toContain('no spot price of c5.4xlarge is known')
    expect((await ranked({ machines: path, purchase: 'reserved' })).rows.map(({ instance }) => instance.type)).toEqual([
      'rack-1',
    ])
  })

  test('the catalogue has spot prices where its source has them', async () => {
    const flags = { ...PEAKS, node: 'c4-standard-16' }
    const [onDemand, spot] = await Promise.all(
      [flags, { ...flags, purchase: 'spot' }].map((typed) => planReport(parsePlanFlags(typed, 'kt plan'))),
    )
    expect(onDemand?.plan.nodes).toMatchObject({ vcpu: 16, memoryGib: 60, usdPerHour: 0.79068 })
    expect(spot?.plan.nodes.usdPerHour).toBe(0.47442)
    expect(spot?.plan.cost?.parts[0]?.why).toBe('spot, all month')
  })

  test('the machine of a plan that names none is the user’s, where the file has it', async () => {
    const path = machines(OWN.replace('rack-1', 'c5.4xlarge'))
    const { plan } = await planReport(parsePlanFlags({ ...PEAKS, machines: path }, 'kt plan'))
    expect(plan.nodes).toMatchObject({ type: 'c5.4xlarge', cloud: 'own racks' })
    expect(plan.constraints.map(({ name }) => name)).toContain('packets')
    const [shipped, beside] = await Promise.all(
      [{}, { machines: machines(OWN) }].map((flags) => planReport(parsePlanFlags({ ...PEAKS, ...flags }, 'kt plan'))),
    )
    expect(beside?.plan.fleet).toEqual(shipped?.plan.fleet)
    expect(beside?.plan.cost).toEqual(shipped?.plan.cost)
    const missing = { ...PEAKS, machines: join(dir.path, 'none.yaml') }
    expect((await laterRefusalOf(() => planRequest(planOptions(missing)))).message).toContain('none.yaml')
  })

  test.each([
    [OWN.replace('baseline_mbps: 50000', 'baseline_mbps: 1, max_mbps: 1'), 'either baseline_mbps'],
    [OWN.replace('2026-11-30', 'today'), 'expected a day'],
    [OWN.replace('vcpu: 64', 'vcpu: 1'), 'no whole one left'],
    [OWN.replace('vcpu: 64', 'cores: 64'), 'cores'],
  ])('%#: what is wrong with it is said', async (line, message) => {
    const refused = await laterRefusalOf(() =>
      planRequest(planOptions({ ...PEAKS, node: 'rack-1', machines: machines(line) })),
    )
    expect(refused.message).toContain(message)
  })
})

test('a ceiling is never ranked above what is guaranteed', async () => {
  const { rows, choices } = await ranked({})
  const first = rows.findIndex(isCeiling)
  expect(first).toBeGreaterThan(50)
  expect(rows.slice(first).every(isCeiling)).toBe(true)
  expect(renderInstances(rows, choices, undefined, 5, PAGE).split('\n')[0]).toMatch(`cheapest of ${first}`)
  const google = await ranked({ cloud: 'gcp' })
  expect(renderInstances(google.rows, google.choices, undefined, 5, PAGE).replaceAll('\n', ' ')).toContain(
    'at best: no bandwidth of these is guaranteed',
  )
})

test('what LiteLLM and Portkey publish stands beside Kong’s, with its source', async () => {
  const { plan } = await planReport(parsePlanFlags({ rps: '2340', workload: 'chat' }, 'kt plan'))
  const { inputTokensPerSec, outputTokensPerSec } = plan.demand
  const byTokens = ((inputTokensPerSec + outputTokensPerSec) / 225e6) * 132
  expect(plan.published).toMatchObject([
    { name: 'LiteLLM', needsVcpu: 32, date: '2026-11' },
    { name: 'LiteLLM, long prompts', needsVcpu: expect.closeTo(102.96), needsVcpuByTokens: expect.closeTo(byTokens) },
    { name: 'Portkey', source: expect.stringContaining('measured by LiteLLM') },
  ])
  expect(renderPlan(plan, { ...PAGE, explain: true }).replaceAll(/\s+/g, ' ')).toContain(
    'LiteLLM: 1,170 requests/s on 4 x 4 vCPU, 8 GB (P99 240 ms), so 32 vCPU',
  )
})
