// Costs of a token by how it travels: in an event of a stream or in a JSON answer; events, packets, NAT and the
// internet gateway; arrivals that burst.
import { afterAll, describe, expect, test } from 'vitest'
import { renderPlan } from '../../src/output/plan-table.ts'
import { withFigure } from '../../src/plan/figures.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { waitAt } from '../../src/plan/waiting.ts'
import { planRequest } from '../../src/planning/plan-request.ts'
import { PAGE } from '../support/page.ts'
import { planOptions, type Typed } from '../support/plan.ts'
import { tempDir } from '../support/temp-dir.ts'
import { azureTrace } from '../support/traces.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const planOf = async (flags: Typed) => {
  const { demand, sizing, choices } = await planRequest(planOptions(flags))
  return { plan: makePlan(demand, sizing, choices), demand, choices, sizing }
}
const PEAKS = { 'input-peak': '80M', 'output-peak': '10M' }
type Made = Awaited<ReturnType<typeof planOf>>['plan']
const need = ({ constraints }: Made, name: string) =>
  constraints.find((constraint) => constraint.name === name)?.need ?? Number.NaN

describe('answers that are not streamed', () => {
  test('are bytes of JSON and not of SSE: 100,000 batch requests/s are 7.2 Gbit/s, not 236', async () => {
    const { plan } = await planOf({ rps: '100000', workload: 'batch' })
    expect(plan.nodes.eachWayGbps).toBeCloseTo((100e6 * 4.5 + 100e6 * 4.5) * 8e-9, 6)
    expect(Number.isNaN(need(plan, 'events'))).toBe(true)
  })

  test('cost the CPU what a prompt of that length costs', async () => {
    const [all, half, none] = await Promise.all(
      ['100%', '50%', '0%'].map(async (share) => planOf({ ...PEAKS, 'streamed-share': share })),
    )
    expect(all?.plan.workers.raw).toBeCloseTo(30, 9)
    expect(half?.plan.workers.raw).toBeCloseTo(20 + 5 + 5 / 4, 9)
    expect(none?.plan.workers.raw).toBeCloseTo(20 + 10 / 4, 9)
    expect(none?.plan.nodes.eachWayGbps).toBeCloseTo(90e6 * 4.5 * 8e-9, 9)
  })
})

describe('a million tokens a worker and an event a token', () => {
  test('contradict each other: both are printed, and the fleet counts with the events that were measured', async () => {
    const { plan } = await planOf(PEAKS)
    expect(need(plan, 'events')).toBeCloseTo(10e6 / 137_000, 9)
    expect(plan.workers).toMatchObject({ peak: 30, min: 60, max: 120 })
    expect(plan.contradictions[0]).toMatch(/passes 1M events\/s a core, and 137k were measured.* 73 .* says 30/)
    const text = renderPlan({ schema: 'kt.plan/1', kt: { version: '0' }, ...plan }, PAGE)
    expect(text).toContain('Contradictions\n  - a worker of 1M output tokens/s at 1 event a token')
  })

  test('do not where tokens share events', async () => {
    const { plan } = await planOf({ ...PEAKS, 'events-per-token': '0.1' })
    expect(plan.contradictions.join()).not.toContain('events/s a core')
    expect(need(plan, 'events')).toBeCloseTo(1e6 / 137_000, 9)
  })

  test('nor where the worker was measured: its events are in what a token costs', async () => {
    const { demand, choices, sizing } = await planOf(PEAKS)
    const figures = withFigure(choices.figures, 'outputPerWorker', 1e6, 'calibrated', 'a test')
    const plan = makePlan(demand, sizing, { ...choices, figures })
    expect(Number.isNaN(need(plan, 'events'))).toBe(true)
    expect(plan.contradictions.join()).not.toContain('events/s a core')
  })
})

test('packets are a constraint where the limit of the machine is known, and a question where it is not', async () => {
  const { plan, demand, choices, sizing } = await planOf(PEAKS)
  expect(plan.contradictions.join()).toContain('packets/s at the peak')
  const node = { ...choices.node, packetsPerSec: 1e6 }
  const limited = makePlan(demand, sizing, { ...choices, node })
  // Three an event, and bodies of 360 MB/s in and out.
  expect(need(limited, 'packets')).toBeCloseTo((10e6 * 3 + (2 * 360e6) / 1_400) / 1e6, 6)
  expect(limited.answer.binding).toBe('packets')
  expect(limited.contradictions.join()).not.toContain('packets/s at the peak')
})

describe('the way to the provider', () => {
  test('NAT has so many connections an address, which all workers share', async () => {
    const { plan, demand } = await planOf({ ...PEAKS, window: '1s' })
    const upstream = plan.demand.inFlight / 2
    expect(plan.nat).toMatchObject({ addresses: Math.ceil(upstream / 55_000), connectionsPerAddress: 55_000 })
    expect(demand.burst.factor).toBe(1)
    const more = (await planOf({ ...PEAKS, window: '1s', 'provider-addresses': '10' })).plan.nat
    expect(more?.addresses).toBe(1)
    expect((await planOf({ ...PEAKS, window: '1s', internet: 'public' })).plan.nat).toBeUndefined()
  })

  test('nodes with public addresses send 5 Gbit/s below 32 vCPU, else half of their bandwidth', async () => {
    const gbps = async (node: string, internet: string) => (await planOf({ ...PEAKS, node, internet })).plan.nodes
    expect((await gbps('c7g.4xlarge', 'nat')).bandwidthGbps).toBe(7.5)
    expect(await gbps('c7g.4xlarge', 'public')).toMatchObject({ bandwidthGbps: 5 })
    expect((await gbps('c7g.8xlarge', 'public')).bandwidthGbps).toBe(7.5)
    expect((await gbps('c5.large', 'public')).bandwidthGbps).toBe(0.75)
    expect((await gbps('c3-standard-8', 'public')).bandwidthGbps).toBe(23)
  })
})

test('arrivals that burst wait longer: the measured variation of a trace enters the formula', async () => {
  const { demand, choices } = await planOf({
    trace: azureTrace('code'),
    'allow-gaps': true,
    scale: '1000',
    window: '60s',
  })
  expect(demand.arrivalScv).toBeGreaterThan(1_000)
  expect(demand.notes.join()).toMatch(/times between arrivals vary with a coefficient of 1\d\.\d/)
  const poisson = { ...demand, arrivalScv: 1 }
  const workers = 200
  const [bursty, calm] = [demand, poisson].map((of) => waitAt(of, choices.figures, workers))
  const scv = demand.arrivalScv ?? 1
  const each = 1 + (scv - 1) / workers
  const service = demand.request.inputScv
  expect((bursty?.perWorkerMeanMs ?? 0) / (calm?.perWorkerMeanMs ?? 1)).toBeCloseTo((each + service) / (1 + service), 6)
  // Within a second nothing is known to burst.
  expect((await planOf({ trace: azureTrace('conv'), window: '1s' })).demand.arrivalScv).toBe(1)
  expect(bursty?.pooledP99Ms ?? 0).toBeGreaterThanOrEqual(calm?.pooledP99Ms ?? 0)
})

test('the guide’s table by requests/s stands beside what that demand computes to, and contradictions', async () => {
  const { plan } = await planOf({ rps: '100', workload: 'code-generation' })
  expect(plan.instance).toMatchObject({ name: 'Heavy', connections: 1_024, computed: { connections: 8_200 } })
  expect(plan.contradictions.join()).toContain('Heavy instance does not hold this rate of such requests: 8,200 connect')
  const light = (await planOf({ rps: '9.9', workload: 'chat' })).plan
  expect(light.contradictions.join()).toMatch(/Light instance.*10\d connections, where it has 64/)
  const extreme = (await planOf({ rps: '5000', workload: 'chat' })).plan
  expect(extreme.contradictions.join()).not.toContain('Extreme')
})
