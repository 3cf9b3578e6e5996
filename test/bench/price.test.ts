import { afterEach, expect, it } from 'vitest'
import { priceFlags } from '../../src/bench/options/price.ts'
import { costOfRun, findPrice, priceOf } from '../../src/bench/price.ts'
import { resolveTarget } from '../../src/client/target.ts'
import type { BenchReport } from '../../src/report/schema.ts'
import { formatUsd } from '../../src/units.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { run as kt } from '../support/run-command.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

const ONE_BY_ONE = ['--concurrency', '1', '--warmup', '1', '--requests', '500', '--json']
const PRICE = 'input=1000,output=2000'

async function reportOf(
  args: readonly string[],
): Promise<{ report: BenchReport; stderr: string; code: number | null }> {
  const { stdout, stderr, code } = await kt(['bench', ...args])
  return { report: JSON.parse(stdout), stderr, code }
}

it('the budget of money ends the run: every arm and the requests beside the measured ones count', async () => {
  server = await httpServer((_, response) => response.end(OK_BODY))
  const { usage } = JSON.parse(OK_BODY)
  // Each request takes five and three tokens, that is $0.011: forty of them take the budget.
  const budget = 0.44
  const two = ['--url', server.origin, '--baseline-url', `${server.origin}/`, '--no-compare-answers']
  const { report, stderr, code } = await reportOf([
    ...two,
    ...ONE_BY_ONE,
    '--price',
    PRICE,
    '--cost-budget',
    `$${budget}`,
  ])
  expect(code).toBe(0)
  expect(stderr).toMatch(/It costs up to about \$\S+ \(--price\); it stops at \$/)
  const { cost, arms } = report
  expect(cost).toMatchObject({ budgetUsd: budget, date: null, source: '--price', inputUsd: 1_000, outputUsd: 2_000 })
  expect(cost?.arms.map(({ name }) => name)).toEqual(arms.map(({ name }) => name))
  expect(cost?.usd).toBeCloseTo(budget, 6)
  const requests = (cost?.arms ?? []).reduce((sum, { inputTokens }) => sum + inputTokens / usage.prompt_tokens, 0)
  expect(requests).toBe(40)
  expect(arms.reduce((sum, { totals }) => sum + totals.sent, 0)).toBeLessThan(40)
})

it('the text says what it cost, and why the run ended', async () => {
  server = await httpServer((_, response) => response.end(OK_BODY))
  const args = ['--url', server.origin, '--requests', '50', '--concurrency', '1', '--cost-budget', '0.00001']
  const { stdout, code } = await kt(['bench', ...args])
  expect(code).toBe(0)
  expect(stdout).toContain('Stopped: the cost budget is spent.')
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /Cost about \$0\.00\d+ for \d+ input and \d+ output tokens of gpt-4o-mini/,
  )
  expect(stdout).toMatch(/20\d\d-\d\d/)
})

it('a budget of money for a model without a price is refused', async () => {
  const { code, stderr } = await kt(['bench', '--url', 'http://127.0.0.1:9', '--model', 'mine', '--cost-budget', '$5'])
  expect(code).toBe(2)
  expect(stderr).toContain("no list price of 'mine' is known")
  expect(stderr).toContain('--price input=0.15,output=0.60')
})

it.each([
  ['--cost-budget', '5 EUR', 'not a sum in US dollars'],
  ['--cost-budget', '$0', 'must be above 0'],
  ['--cost-budget', '-5', 'not a sum'],
  ['--price', '0.15', 'is no price'],
  ['--price', 'inputs=0.15,output=1', "did you mean 'input'?"],
  ['--price', 'input=0.15', 'lacks the price of output tokens'],
  ['--price', 'input=1,input=2,output=3', 'gives input twice'],
  ['--price', 'input=0,output=0', 'both prices are 0'],
  ['--price', 'input=NaN,output=1', 'not a sum'],
] as const)('%s %s is refused: %s', (name, given, why) => {
  const flag = priceFlags[name.slice(2) as 'price' | 'cost-budget'].type.safeParse(given)
  expect(flag.success).toBe(false)
  expect(flag.error?.issues[0]?.message).toContain(why)
})

it('sums are read with and without a dollar sign', () => {
  const { 'cost-budget': budget, price } = priceFlags
  expect([budget.type.parse('$5'), budget.type.parse(0.5), budget.type.parse('$1,000')]).toEqual([5, 0.5, 1_000])
  expect(price.type.parse('output=$10, input=2.5')).toEqual({ inputUsd: 2.5, outputUsd: 10 })
})

it('money is spoken of where a target is elsewhere, or where the user does', () => {
  const at = (url: string) => [['target', resolveTarget(url, { endpoint: 'chat', model: '', stream: false })] as const]
  expect(findPrice({}, 'gpt-4o', at('http://127.0.0.1:8000'))).toBeUndefined()
  expect(findPrice({}, 'gpt-4o', at('http://10.0.0.7:8000'))?.price).toMatchObject({ inputUsd: 2.5, outputUsd: 10 })
  expect(findPrice({}, 'mine', at('https://api.example.com'))).toMatchObject({ model: 'mine', price: undefined })
  const price = { inputUsd: 1, outputUsd: 2 }
  expect(findPrice({ price }, 'mine', at('http://127.0.0.1:8000'))).toMatchObject({ asked: true, price })
})

it('what it cost is null where the price is unknown, and absent where a simulated provider answered', () => {
  const found = { model: 'gpt-4o', price: priceOf({}, 'gpt-4o'), budgetUsd: undefined, asked: false }
  const spent = [{ arm: 'target', input: 1_000_000, output: 100_000 }]
  expect(costOfRun(found, spent, false)).toMatchObject({ usd: 3.5, arms: [{ name: 'target', usd: 3.5 }] })
  expect(costOfRun(found, spent, true)).toBeUndefined()
  expect(costOfRun({ ...found, asked: true }, spent, true)?.usd).toBe(3.5)
  expect(costOfRun({ ...found, price: undefined }, spent, false)).toBeNull()
})

it('small sums keep their first digits', () => {
  expect([5, 0, 0.0158, 0.0000123].map(formatUsd)).toEqual(['$5.00', '$0.00', '$0.0158', '$0.000012'])
})
