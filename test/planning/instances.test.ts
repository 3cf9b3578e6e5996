// Machines: the catalogue, the ranking by cost, burstable ones refused, a user's prices checked.
import { afterAll, describe, expect, test } from 'vitest'
import { renderInstances } from '../../src/output/planning-tables.ts'
import { parseFlags } from '../../src/parse/parse-flags.ts'
import { implausiblePrices, isCeiling, rankInstances, relativeSpeed } from '../../src/plan/instances.ts'
import { defaultChoices } from '../../src/plan/plan.ts'
import { instanceFlags, readInstances, selectInstances } from '../../src/planning/instances.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { PAGE } from '../support/page.ts'
import { chatDemand, type Typed } from '../support/plan.ts'
import { refusalOf } from '../support/refusal.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const { instances } = readInstances()
const sizing = readSizing()
const choices = defaultChoices(sizing)
const named = (type: string) => {
  const found = instances.find((instance) => instance.type === type)
  if (!found) throw new Error(`no ${type}`)
  return found
}
const dir = tempDir()
afterAll(() => dir.remove())

const select = (flags: Typed) => selectInstances(parseFlags(flags, instanceFlags, 'kt plan instances'))

function refusal(flags: Typed): string {
  const { message, next } = refusalOf(() => select(flags))
  return `${message}\n${next}`
}

describe('the catalogue', () => {
  test("holds the guide's families, each with dated prices, thread or core, and bandwidth", () => {
    expect([...new Set(instances.map(({ family }) => family))]).toEqual([
      'c5',
      'c6i',
      'c6g',
      'c7g',
      ...['c5n', 'c6gn', 'c6in', 'c7gn', 'c7i', 'c7a', 'c8g', 'c8gn', 'c8i'],
      ...['c2-standard', 'c3-standard', 'c4-standard', 'c4a-standard', 'n4-standard'],
      ...['Fsv2', 'Dasv5', 'Dalsv6', 'Falsv6'],
    ])
    for (const instance of instances) {
      expect(instance.priceDate).toMatch(/^2026-\d\d-\d\d$/)
      expect(instance.bandwidthGbps).toBeGreaterThan(0)
      expect(instance.bandwidthIs).toBe(instance.cloudId === 'aws' ? 'baseline' : 'ceiling')
      // A vCPU of these is a core too: their processors run one thread on each.
      const isCore = instance.arch === 'arm64' || ['c7a', 'Falsv6'].includes(instance.family)
      expect(instance.vcpuIs).toBe(isCore ? 'core' : 'thread')
    }
  })

  test('its own prices pass the check that a price file must pass', () => {
    expect(
      implausiblePrices(new Map(instances.map(({ type, usdPerHour = 0 }) => [type, usdPerHour])), instances),
    ).toEqual([])
  })

  test('the node of the sizing profile is the one of the catalogue', () => {
    const { node } = readSizing()
    const { vcpu, memoryGib, bandwidthGbps, allocatableMillicores, allocatableMemoryBytes, usdPerHour } = named(
      node.type,
    )
    expect(node).toMatchObject({
      vcpu,
      memoryGib,
      bandwidthGbps,
      allocatableMillicores,
      allocatableMemoryBytes,
      usdPerHour,
    })
  })
})

describe('the ranking', () => {
  const ranked = rankInstances(chatDemand(80e6, 10e6), sizing, choices, instances)

  test('goes from cheap to dear, over all machines, and never below a node a zone', () => {
    for (const ceiling of [false, true]) {
      const costs = ranked.filter((row) => isCeiling(row) === ceiling).map(({ deploy }) => deploy.usdPerMonth ?? 0)
      expect(costs.length).toBeGreaterThan(20)
      expect(costs).toEqual([...costs].sort((a, b) => a - b))
    }
    expect(Math.min(...ranked.map(({ nodes }) => nodes.peak))).toBe(3)
  })

  test('c5.4xlarge: 8 nodes at the peak, 15 to 30 with redundancy, for 730 hours at its price', () => {
    const row = ranked.find(({ instance }) => instance.type === 'c5.4xlarge')
    expect(row).toMatchObject({ nodes: { peak: 8, min: 15, max: 30 }, binding: 'network', workersPerNode: 15 })
    expect(row?.usdPerMonth?.max).toBeCloseTo(30 * 0.68 * 730, 6)
    // What is deployed: one node more, and as many in each zone that any two of them carry it.
    expect(row?.deploy).toEqual({ nodes: 15, pods: 159, usdPerMonth: 15 * 0.68 * 730 })
  })

  test('fits 80 columns, the cheapest in the first line', () => {
    for (const measuredOn of [undefined, named('c5.4xlarge')]) {
      const text = renderInstances(
        rankInstances(chatDemand(1e12, 1e11), sizing, choices, instances, measuredOn),
        choices,
        measuredOn,
        99,
        PAGE,
      )
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    }
    expect(renderInstances(ranked, choices, undefined, 5, PAGE).split('\n')[0]).toContain(ranked[0]?.instance.type)
  })

  test('a CoreMark of another source scales nothing, and the page says so', () => {
    const measuredOn = named('c3-standard-8')
    const text = renderInstances(
      rankInstances(chatDemand(1e9, 1e8), sizing, choices, [named('c7g.4xlarge')], measuredOn),
      choices,
      measuredOn,
      5,
      PAGE,
    )
    expect(text.replaceAll(/\n +/g, ' ')).toContain('no CoreMark of c3-standard-8 comes from the same source')
  })

  test('a faster core takes fewer workers, measured by one CoreMark; another source is not compared', () => {
    expect(relativeSpeed(named('c7g.4xlarge'), named('c5.4xlarge'))).toBeCloseTo(25_833 / 16_379, 9)
    expect(relativeSpeed(named('c3-standard-8'), named('c5.4xlarge'))).toBeUndefined()
    expect(relativeSpeed(named('Standard_F8s_v2'), named('c5.4xlarge'))).toBeUndefined()
    const cpuBound = chatDemand(4e9, 1)
    const nodesOf = (measuredOn?: string) =>
      rankInstances(
        cpuBound,
        sizing,
        choices,
        [named('c7g.4xlarge')],
        measuredOn === undefined ? undefined : named(measuredOn),
      )[0]?.nodes.peak
    expect(nodesOf('c5.4xlarge')).toBeLessThan(nodesOf() ?? 0)
  })
})

test.each<[Typed, string]>([
  [{ family: 't3' }, 't3 is burstable'],
  [{ family: 'B' }, 'B is burstable'],
  [{ family: 'e2' }, 'no fixed CPU platform'],
  [{ 'measured-on': 't3.large' }, 'it sustains 0.6 of its 2 vCPU'],
  [{ 'measured-on': 't4g.10xlarge' }, 't4g.10xlarge is burstable'],
  [{ family: 'c6j' }, "no family 'c6j' in the catalogue (did you mean 'c6i'?)"],
  [{ region: 'mars' }, "no prices of the region 'mars'"],
  [{ cloud: 'azure', arch: 'arm64' }, 'no machine of the catalogue is all of that'],
])('%j is refused', (flags, message) => {
  expect(refusal(flags)).toContain(message)
})

function priceFile(prices: Record<string, number>, unit = 'USD/hour'): string {
  return dir.write('prices.yaml', { unit, region: 'eu-west-1', date: '2026-11-01', prices })
}

test('a price file without a machine is refused', () => {
  expect(refusal({ 'price-file': priceFile({}) })).toContain('prices: names no machine')
})

test('a price file: its machines at its prices, its region and day', () => {
  const { instances: mine } = select({
    'price-file': priceFile({ 'c5.large': 0.096, 'c5.xlarge': 0.192 }),
    region: 'eu-west-1',
  })
  expect(mine.map(({ type, usdPerHour, region, priceDate }) => [type, usdPerHour, region, priceDate])).toEqual([
    ['c5.large', 0.096, 'eu-west-1', '2026-11-01'],
    ['c5.xlarge', 0.192, 'eu-west-1', '2026-11-01'],
  ])
})

test.each(['instances', 'buffers'])('kt plan %s refuses --node, which it would ignore', async (command) => {
  const peaks = ['--input-peak', '80M', '--output-peak', '10M']
  const { code, stdout, stderr } = await run(['plan', command, ...peaks, '--node', 'c6i.large'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('--node')
})

test.each([
  [{ 'c5.large': 0.085 }, 'EUR/hour', "unit: 'EUR/hour' is not USD/hour"],
  [{ 'c5.large': 0.085 }, 'USD/month', "unit: 'USD/month' is not USD/hour"],
  [{ 'c5.large': 62.05, 'c5.xlarge': 124.1 }, 'USD/hour', 'the unit cannot be USD an hour (a price per month?)'],
  [{ 'c5.large': 0.0000236 }, 'USD/hour', 'the unit cannot be USD an hour'],
  // A published list holds Windows prices (vCPU x 0.089) among those of Linux (vCPU x 0.043).
  [
    { Standard_D2as_v5: 0.178, Standard_D4as_v5: 0.172, Standard_D8as_v5: 0.344 },
    'USD/hour',
    "Standard_D2as_v5: 0.089 USD a vCPU-hour, where Dasv5 costs 0.043: another system's price",
  ],
  [{ 'c5.huge': 1 }, 'USD/hour', "no machine 'c5.huge'"],
  [{ 't3.large': 0.0832 }, 'USD/hour', 't3.large is burstable'],
  [{ 'c5.large': -1 }, 'USD/hour', 'not a usable price file'],
])('prices %j in %s are refused', (prices, unit, message) => {
  expect(refusal({ 'price-file': priceFile(prices as Record<string, number>, unit) })).toContain(message)
})
