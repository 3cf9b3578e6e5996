// A latency gate inside a vitest test: it fails on a breach that is proven, and not on what the machine cannot decide.
// GATEWAY_URL names a gateway, with the simulated provider (kt provider start) behind it at PROVIDER_URL. Without them
// kt starts its own reference gateway and provider.
import { bench } from 'kt-bench'
import { expect, test } from 'vitest'

const { GATEWAY_URL: url, PROVIDER_URL: baselineUrl } = process.env

test('the gateway adds less than 50 ms at P99', { timeout: 120_000 }, async () => {
  const { report, verdict } = await bench({
    ...(url ? { url, baselineUrl } : {}),
    requests: 500,
    concurrency: 2,
    maxTokens: 4,
    budget: '50ms',
    threshold: ['errors.rate<1%'],
  })
  const [gateway] = report.arms
  expect(gateway.totals.sent).toBeGreaterThan(0)
  const failed = verdict?.checks
    .filter((check) => check.verdict === 'fail')
    .map(({ metric, why }) => `${metric}: ${why}`)
  expect(failed).toEqual([])
})
