import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { fitProvider, fitSchema } from '../../src/fit/fit-provider.ts'
import { writeProfile } from '../../src/fit/write-profile.ts'
import { readProviderProfile } from '../../src/provider/profile.ts'
import { delayDraws } from '../../src/schedule/delays.ts'
import { logNormal, randomFrom } from '../../src/stats/random.ts'
import { record } from '../provider/cassette/support.ts'
import { chatWith, nonce, post, provider } from '../provider/support.ts'
import { normalQuantile } from '../support/normal-quantile.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const TTFT = { medianMs: 300, sigma: 0.4 }
const GAP = { medianMs: 120, sigma: 0.3 }
/** Of this seed the draws lie in the middle of what they are drawn from, so that a busy machine has its room. */
const SEED = 158
/** By how much timers and a busy machine are late; what is late shortens the next gap. */
const LATE_MS = 25

function dir() {
  const made = tempDir()
  onTestFinished(() => made.remove())
  return made
}

test('a provider of a known profile, recorded and fitted, gives that profile back', async () => {
  const lognormal = ({ medianMs, sigma }: typeof TTFT) =>
    ({ kind: 'lognormal', medianUs: medianMs * 1_000, sigma }) as const
  const target = await provider({
    latency: { ttft: lognormal(TTFT), tokenGap: lognormal(GAP), seed: SEED },
    tokens: 5,
    faults: { shares: { rate_limit: 0.1 }, retryAfterMs: 2_000, stallMs: 0, slowHeadersMs: 0 },
  })
  const { recorder, end, path } = await record(target.url)
  const ask = async (index: number): Promise<number> => {
    const body = chatWith(nonce(index), { stream: true, stream_options: { include_usage: true } })
    const answer = await post(`${recorder.url}/v1/chat/completions`, body)
    await answer.text()
    return answer.status
  }
  // One after another: together they would wait for this one process.
  const asked: Promise<number>[] = []
  for (let i = 0; i < 100; i++) {
    asked.push(ask(i))
    await sleep(20)
  }
  const statuses = await Promise.all(asked)
  await end()
  const fit = fitSchema.parse(await fitProvider([path], 1, () => {}))
  const refused = statuses.filter((status) => status === 429).length
  expect(refused).toBeGreaterThan(3)
  expect(fit).toMatchObject({
    answers: 100,
    refused: 0,
    tokens: 5,
    tokensPerEvent: { min: 1, max: 1 },
    eventsPerWrite: 1,
    retryAfterMs: 2_000,
    faults: { rate_limit: Number((refused / 100).toPrecision(3)) },
  })
  for (const [{ medianMs, sigma }, fitted] of [
    [TTFT, fit.ttft],
    [GAP, fit.tokenGap],
  ] as const) {
    expect(fitted.samples).toBeGreaterThan(70)
    // The last percent is that of a machine that stalls.
    const middle = fitted.quantiles.filter(({ percentile }) => percentile < 99)
    expect(middle).toHaveLength(3)
    for (const { percentile, lowerMs, upperMs, fittedMs } of middle) {
      const trueMs = medianMs * Math.exp(sigma * normalQuantile(percentile / 100))
      expect(trueMs).toBeGreaterThanOrEqual((lowerMs ?? 0) - LATE_MS)
      expect(trueMs).toBeLessThanOrEqual((upperMs ?? Number.POSITIVE_INFINITY) + LATE_MS)
      expect(Math.abs(fittedMs / trueMs - 1)).toBeLessThan(0.3)
    }
  }
  const file = dir().write('profile.yaml', writeProfile(fit))
  const profile = readProviderProfile(file)
  expect(profile.tokens).toBe(5)
  expect(profile.faults).toMatchObject({
    retryAfterMs: 2_000,
    shares: { rate_limit: expect.closeTo(refused / 100, 3) },
  })
  const draw = delayDraws(profile.ttft, 'any')
  const draws = Array.from({ length: 999 }, draw).sort((a, b) => a - b)
  expect((draws[499] ?? 0) / 1_000).toBeGreaterThan(220)
  expect((draws[499] ?? 0) / 1_000).toBeLessThan(400)
})

/** LiteLLM's log of answers of `tokens` tokens, streamed where `firstS` is told. */
function litellm(rows: readonly { tokens: number; totalS: number; firstS?: number; failed?: boolean }[]): string {
  return rows
    .map(({ tokens, totalS, firstS, failed }, i) => {
      const startTime = 1_767_225_600 + i
      const first = firstS === undefined ? {} : { completionStartTime: startTime + firstS }
      const status = failed ? 'failure' : 'success'
      const counts = { prompt_tokens: 10, completion_tokens: failed ? 0 : tokens }
      return `${JSON.stringify({ id: `${i}`, startTime, endTime: startTime + totalS, ...first, status, ...counts })}\n`
    })
    .join('')
}

test('a trace that tells first tokens and ends gives both distributions, and its failures', async () => {
  const random = randomFrom('streams')
  const rows = Array.from({ length: 400 }, () => {
    const tokens = 20 + Math.floor(random() * 100)
    const firstS = logNormal(random, 0.5, 0.3)
    let totalS = firstS
    for (let i = 0; i < tokens; i++) totalS += logNormal(random, 0.02, 0.5)
    return { tokens, firstS, totalS, failed: random() < 0.05 }
  })
  const fit = await fitProvider([dir().write('log.jsonl', litellm(rows))], 1, () => {})
  expect(fit.ttft.delay).toMatch(/^lognormal\((?:49\d|50\d|51\d|52\d|48\d)(?:\.\d)?ms,0\.[23]\d*\)$/)
  const [, medianMs, sigma] = /^lognormal\(([\d.]+)ms,([\d.]+)\)$/.exec(fit.tokenGap.delay) ?? []
  expect(Number(medianMs)).toBeCloseTo(20, -0.5)
  expect(Number(sigma)).toBeGreaterThan(0.4)
  expect(Number(sigma)).toBeLessThan(0.6)
  expect(fit.tokenGap.ksDistance).toBeNull()
  expect(fit.faults.server_error).toBeCloseTo(rows.filter(({ failed }) => failed).length / 400, 3)
})

test('a trace that tells ends only gives the slope over tokens as the gap, and says so', async () => {
  const random = randomFrom('whole')
  const rows = Array.from({ length: 120 }, () => {
    const tokens = 5 + Math.floor(random() * 200)
    return { tokens, totalS: logNormal(random, 0.4, 0.2) + tokens * 0.015 }
  })
  const fit = await fitProvider([dir().write('log.jsonl', litellm(rows))], 1, () => {})
  expect(Number.parseFloat(fit.tokenGap.delay)).toBeGreaterThan(14)
  expect(Number.parseFloat(fit.tokenGap.delay)).toBeLessThan(16)
  expect(fit.ttft.delay).toMatch(/^lognormal\((?:3[5-9]|4[0-5])\d/)
  expect(fit.warnings.join('\n')).toContain('no streams: the gap is the slope')
})

test('what no log-normal fits gets its quantiles, and a warning; the provider draws from them', async () => {
  const random = randomFrom('two kinds')
  const rows = Array.from({ length: 500 }, (_, i) => {
    const firstS = i % 2 === 0 ? logNormal(random, 0.1, 0.05) : logNormal(random, 1, 0.05)
    return { tokens: 10, firstS, totalS: firstS + 0.2 }
  })
  const fit = await fitProvider([dir().write('log.jsonl', litellm(rows))], 1, () => {})
  expect(fit.ttft.delay).toMatch(/^quantiles\(0:/)
  expect(fit.ttft.logNormalDistance).toBeGreaterThan(0.15)
  expect(fit.ttft.ksDistance).toBeLessThan(0.05)
  expect(fit.warnings.join('\n')).toContain('the time to first token: a log-normal fits badly')
  expect(fit.tokenGap.delay).toBe('20ms')
  const profile = readProviderProfile(dir().write('profile.yaml', writeProfile(fit)))
  const draw = delayDraws(profile.ttft, 'any')
  const draws = Array.from({ length: 1_000 }, draw)
  const low = draws.filter((us) => us < 150_000).length
  expect(low).toBeGreaterThan(430)
  expect(low).toBeLessThan(570)
  expect(draws.filter((us) => us > 200_000 && us < 700_000).length).toBeLessThan(60)
})

test('values that repeat lie on their quantiles, and those are at no distance', async () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({ tokens: 10, firstS: i % 4 === 0 ? 0.5 : 0.25, totalS: 0.9 }))
  const { ttft } = await fitProvider([dir().write('log.jsonl', litellm(rows))], 1, () => {})
  expect(ttft.delay).toContain('75:250ms,80:500ms')
  expect(ttft.ksDistance).toBeLessThan(0.06)
})

test('the same seed gives the same fit, and several files are taken together', async () => {
  const random = randomFrom('seeds')
  const rows = Array.from({ length: 60 }, () => ({ tokens: 10, firstS: logNormal(random, 0.3, 0.3), totalS: 1.5 }))
  const at = dir()
  const [one, two] = [at.write('one.jsonl', litellm(rows.slice(0, 30))), at.write('two.jsonl', litellm(rows.slice(30)))]
  const fit = await fitProvider([one, two], 5, () => {})
  expect(fit).toMatchObject({ answers: 60, sources: [one, two], ttft: { samples: 60 } })
  expect(await fitProvider([one, two], 5, () => {})).toEqual(fit)
})

test('what has no times is refused in one sentence with the line', async () => {
  const at = dir()
  const trace = at.write('trace.csv', 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.97,4808,10\n')
  const untimed = await laterRefusalOf(() => fitProvider([trace], 1, () => {}))
  expect(untimed.message).toBe(`${trace}, line 1: a trace without the times of its answers (Azure)`)
  const one = at.write('one.jsonl', litellm([{ tokens: 3, totalS: 1 }]))
  expect((await laterRefusalOf(() => fitProvider([one], 1, () => {}))).message).toContain('no times to fit')
  const cassette = at.file('c.jsonl')
  writeFileSync(cassette, '{"schema":"kt.cassette/7"}\n')
  const newer = await laterRefusalOf(() => fitProvider([cassette], 1, () => {}))
  expect(newer.message).toContain('c.jsonl, line 1: the cassette is of version kt.cassette/7')
})
