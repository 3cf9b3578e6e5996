// `kt plan` as a user runs it: the answer first, 80 columns, JSON by its schema, and each bad input refused in one
// message.
import { expect, test } from 'vitest'
import { planRequest } from '../../src/planning/plan-request.ts'
import { planSchema } from '../../src/report/plan-schema.ts'
import type { Ended } from '../support/kt.ts'
import { planOptions } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { run } from '../support/run-command.ts'

const PEAKS = ['--input-peak', '80M', '--output-peak', '10M']

const plan = (...args: string[]): Promise<Ended> => run(['plan', ...args])

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ')

test('the answer is three sentences, and nothing is wider than 80 columns', async () => {
  const { code, stdout, stderr } = await plan(...PEAKS, '--entities', '600', '--rps', '47393', '--explain')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n\n')[0]?.split('\n')).toEqual([
    'Deploy 399 pods of 1 vCPU, 704 MiB on 30 c5.4xlarge in 3 zones, at $14,892 a',
    'month: network binds',
    '159-399 pods on 15-36 nodes depending on window and bytes per output token; its',
    'bytes $308k a month',
    "Vendor's formula: 30 workers, 60-120 with redundancy 2-4x; 8 nodes, 15-30",
  ])
  expect(widest(stdout)).toBeLessThanOrEqual(80)
  expect(stdout).toContain('(80M / 4 + 10M) / 1M = 30 workers of one vCPU; x 2 = 60, x 4 = 120')
  expect(stdout).toContain('Large: central platform, several teams; decided by entities, input and output')
  expect(stdout).toContain("360 vCPU is the tier's own figure")
  expect(stdout).toMatch(/Extreme +8\+ +2,048 MB\+ +4,096\n +computed +30 +32,\d+ MB +494,/)
  expect(stdout).toContain('vendor default')
})

test('--explain gives each constraint its formula, its inputs, their source and date', async () => {
  const { stdout } = await plan(...PEAKS, '--explain')
  for (const name of ['cpu', 'network', 'connections', 'descriptors', 'ports', 'memory']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} = .*\n(?:  .*\n)?\\s+= [\\d.,]+ (?:worker|node)s$`, 'm'))
  }
  expect(stdout.replaceAll(/\n {30,}/g, ' ')).toMatch(
    /bytes per output token +290 B +assumed \(--bytes-per-output-token\): .*recorded .*SSE streams \(2026-11\)/,
  )
})

test.each(['1000T', '1'])('a peak of %s fits too', async (peak) => {
  const { stdout } = await plan(
    '--input-peak',
    peak,
    '--output-peak',
    peak,
    '--entities',
    peak,
    '--rps',
    peak,
    '--explain',
  )
  expect(widest(stdout)).toBeLessThanOrEqual(100)
  expect(stdout).toMatch(peak === '1' ? /Small/ : /XL.*\n[\s\S]*360\+ vCPU/)
})

test('--markdown', async () => {
  const { stdout } = await plan(...PEAKS, '--markdown')
  expect(stdout).toMatch(/^\*\*Deploy 399 pods of 1 vCPU/)
  expect(stdout).toContain('30 workers, 60-120 with redundancy 2-4x')
  expect(stdout).toContain('| network (binds) | 8 nodes | 15 | 30 | 7.45 |')
  expect(stdout).toMatch(/\| O_w \| 1M tokens\/s \| vendor default \(--output-per-worker\): Kong/)
  expect((await plan(...PEAKS, '--markdown', '--explain')).stdout).toContain(
    '| cpu | (input / R + output) / O_w | 30 workers |',
  )
})

test('kt capacity estimate is the requests/day form', async () => {
  const day = [
    '--requests-per-day',
    '500M',
    '--avg-input-tokens',
    '1500',
    '--avg-output-tokens',
    '800',
    '--peak-multiplier',
    '3',
  ]
  const { code, stdout } = await run(['capacity', 'estimate', ...day])
  expect(code).toBe(0)
  expect(stdout).toBe((await plan(...day)).stdout)
  // 500M / 86,400 x 3 = 17,361 requests/s; (26.04M / 4 + 13.89M) / 1M = 20.4
  expect(stdout).toMatch(/^Vendor's formula: 21 workers, 41-82 with redundancy 2-4x; /m)
})

test('a quota that no number of workers lifts is in the answer', async () => {
  const { stdout } = await plan(...PEAKS, '--quota-tpm', '30M')
  expect(stdout.split('\n\n')[0]?.replaceAll('\n', ' ')).toContain("over the provider's quota of tokens per minute")
  expect(stdout).toMatch(/5\.4G of 30M +takes 180 accounts\n +No number of workers carries/)
})

test('what the user gives replaces the vendor default, and says so', async () => {
  const { stdout } = await plan(...PEAKS, '--ratio', '5', '--output-per-worker', '1.05M', '--redundancy', '3')
  // (80M / 5 + 10M) / 1.05M = 24.76; x 3 = 74.29
  expect(stdout).toMatch(/^Vendor's formula: 25 workers, 75 with redundancy 3x; /m)
  expect(stdout).toMatch(/R +5 +given/)
})

test('a load just over a whole number of workers takes one more, and says why', async () => {
  const { stdout } = await plan('--input-peak', '200000001', '--output-peak', '3', '--ratio', '5', '--rps', '100k')
  expect(stdout).toMatch(/^Vendor's formula: 41 workers, 81-161 with redundancy 2-4x; /m)
  expect(stdout).toContain('just over 40 workers')
})

test('--json prints kt.plan/1', async () => {
  const { stdout } = await plan(...PEAKS, '--json')
  const parsed = planSchema.parse(JSON.parse(stdout))
  expect(parsed.workers).toMatchObject({ peak: 30, min: 60, max: 120, raw: 30 })
  expect(parsed.measured.map((m) => [m.path, m.peak, m.min, m.max])).toEqual([
    ['OpenAI', 28, 56, 111],
    ['Gemini', 32, 63, 125],
  ])
  expect(parsed.tier).toMatchObject({ name: 'Large', decidedBy: ['inputTokensPerSec', 'outputTokensPerSec'] })
  expect(parsed.answer).toMatchObject({ binding: 'network', next: 'events' })
  expect(parsed.nodes).toMatchObject({ workersPerNode: 15 })
})

test('a load that one node holds: nothing binds, and no factor is made of almost nothing', async () => {
  const { stdout } = await plan('--requests-per-day', '50k', '--avg-input-tokens', '1500', '--avg-output-tokens', '800')
  expect(squeezed(stdout)).toMatch(
    /^Deploy 3 pods of 500m, 256 MiB on 3 c5.large in 3 zones, at \$186 a month: one a zone is the/,
  )
  expect(stdout).toMatch(/^Vendor's formula: 1 worker, 1 with redundancy 2-4x; 1 node, 1$/m)
  // 50,000 / 86,400 x (1,500 / 4 + 800) / 1M
  expect(stdout).toContain('= 0.00068 workers of one vCPU')
  expect(stdout).toContain('3 pods on 3 nodes, 1 on 1 in each of 3 zones')
  expect(stdout).not.toContain('just over')
})

test('what binds is the reason; a ceiling of bandwidth is called one', async () => {
  const { stdout } = await plan(...PEAKS, '--node', 'Standard_F8s_v2')
  expect(squeezed(stdout)).toMatch(
    /^Deploy 399 pods of 1 vCPU, 704 MiB on 57 Standard_F8s_v2 in 3 zones, .*?: events bind /,
  )
  expect(stdout).toContain('at most 12.5 Gbit/s')
})

test('a machine of the catalogue keeps the contract, with the day of its price', async () => {
  const { stdout } = await plan(...PEAKS, '--node', 'c6i.8xlarge', '--json')
  const { nodes } = planSchema.parse(JSON.parse(stdout))
  expect(nodes).toMatchObject({ type: 'c6i.8xlarge', region: 'us-east-1', priceDate: '2026-07-20' })
})

test('two ways to print at once are refused in one line', async () => {
  const { code, stderr } = await plan(...PEAKS, '--json', '--markdown')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^kt: --json and --markdown both say how the plan is printed\n/)
})

test.each([
  [
    ['--input-peak', '80MB', '--output-peak', '10M'],
    "--input-peak: '80MB' is not a number such as '250', '4.5' or '80M' (it is a size in bytes)",
  ],
  [[...PEAKS, '--sizing', '/no/such.yaml'], 'cannot read the sizing profile /no/such.yaml'],
  [['--input-peek', '80M'], 'Did you mean --input-peak?'],
  [['80M'], "'kt plan' takes no argument '80M'"],
])('kt plan %j is refused', async (args, message) => {
  const { code, stdout, stderr } = await plan(...args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain(message)
  expect(stderr.trim().split('\n').length).toBe(2)
  expect(stderr).not.toMatch(/\n\s+at /)
})

/** As a process would be told, without the process. */
async function refusalOf(args: string[]): Promise<string> {
  const flags = Object.fromEntries(
    args.flatMap((arg, i) => (arg.startsWith('--') ? [[arg.slice(2), args[i + 1]]] : [])),
  )
  return (await laterRefusalOf(async () => planRequest(planOptions(flags)))).message
}

test.each([
  [['--input-peak', '0', '--output-peak', '10M'], '--input-peak: must be above 0, not 0'],
  [['--input-peak', '80M', '--output-peak', '-10M'], '--output-peak: must not be negative, not -10M'],
  [['--input-peak', 'NaN', '--output-peak', '10M'], "'NaN' is not a number"],
  [['--input-peak', 'Infinity', '--output-peak', '10M'], "'Infinity' is not a number"],
  [['--input-peak', '9999T', '--output-peak', '10M'], 'beyond anything to plan for'],
  [['--input-peak', '80M'], '--output-peak is missing'],
  [[], 'how much has to be carried is not said'],
  [
    ['--input-peak', '80m', '--output-peak', '10M'],
    "'80m' is not a number such as '250', '4.5' or '80M' (a million is M)",
  ],
  [[...PEAKS, '--ratio', '0'], '--ratio: must be above 0'],
  [[...PEAKS, '--output-per-worker', '0'], '--output-per-worker: must be above 0'],
  [[...PEAKS, '--redundancy', '4-2'], '--redundancy: 4-2: the range runs backwards'],
  [[...PEAKS, '--redundancy', '0.5'], 'a factor below 1'],
  [[...PEAKS, '--redundancy', 'two'], "'two' is not a factor or a range"],
  [[...PEAKS, '--entities', '1.5'], '--entities: must be a whole number'],
  [[...PEAKS, '--rps', '0'], '--rps: must be above 0'],
  [[...PEAKS, '--node', 't3.large'], 't3.large is burstable: it sustains 0.6 of its 2 vCPU'],
  [[...PEAKS, '--node', 'c5.4xlarg'], "did you mean 'c5.4xlarge'?"],
  [[...PEAKS, '--path', 'claude'], "no measured figures of 'claude'"],
  [[...PEAKS, '--input-per-worker', '4.4M'], '--input-per-worker needs --output-per-worker'],
  [[...PEAKS, '--zones', '2', '--zones-lost', '2'], '--zones-lost 2 of 2 zones leaves none'],
  [[...PEAKS, '--rss', '100=180MiB'], '--rss: needs two different numbers of streams'],
  [[...PEAKS, '--memory-per-stream', '64KK'], "--memory-per-stream: '64KK' is not a size"],
])('%j is refused', async (args, message) => {
  expect(await refusalOf(args)).toContain(message)
})
